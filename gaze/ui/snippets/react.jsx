import "./gaze-tracker.js";

export default function Portrait() {
  return (
    <gaze-tracker
      src="/gaze-portrait/"
      alt="Ada, smiling"
      style={{ width: 320 }}
      ongazechange={(event) => console.log(event.detail.row, event.detail.col)}
    />
  );
}
