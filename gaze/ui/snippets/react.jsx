import "./gaze-tracker.mjs";

export default function Portrait() {
  return (
    <gaze-tracker
      src="/gaze-portrait/gaze.pack"
      alt="Portrait"
      style={{ display: "block", width: 320 }}
      ongazechange={(event) => console.log(event.detail.row, event.detail.col)}
    >
      <img
        slot="poster"
        src="/gaze-portrait/poster.webp"
        alt="Portrait"
        width="512" height="512"
        style={{ display: "block", width: "100%", height: "auto" }}
      />
    </gaze-tracker>
  );
}
