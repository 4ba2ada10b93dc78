document.querySelector("gaze-tracker").manifest = {{manifest}};
