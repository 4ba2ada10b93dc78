import "./gaze-tracker.mjs";

export default function Portrait() {
  return (
    <gaze-tracker
      src="/gaze-portrait/gaze.pack"
      alt="Ada, smiling"
      style={{ width: 320 }}
      ongazechange={(event) => console.log(event.detail.row, event.detail.col)}
    />
  );
}
