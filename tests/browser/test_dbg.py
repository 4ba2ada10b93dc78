import av, io
from tests.browser.app_page import *
from tests.browser.test_app import RECORDS_MP4
def test_dbg(open_page, address):
    page = open_page(**STILL)
    page.add_init_script(RECORDS_MP4)
    open_app(page, address); made(page)
    for kind in ("video/webm;codecs=vp8", "video/webm;codecs=vp9", "video/webm"):
        out = page.evaluate("""async (kind) => {
          let draws = 0; const d = CanvasRenderingContext2D.prototype.fillRect;
          CanvasRenderingContext2D.prototype.fillRect = function(...a){draws++; return d.apply(this,a)};
          const m = await import(new URL("gradio_api/gaze-page/recording.js", location.href).href);
          const t = performance.now();
          const blob = await m.record([document.querySelector("#face")], kind, true);
          CanvasRenderingContext2D.prototype.fillRect = d;
          return [draws, performance.now()-t, [...new Uint8Array(await blob.arrayBuffer())], MediaRecorder.isTypeSupported("video/mp4")];
        }""", kind)
        data = bytes(out[2])
        with av.open(io.BytesIO(data)) as f:
            times = [round(fr.time, 2) for fr in f.decode(video=0)]
        print(kind, out[0], out[1], len(data), len(times), times[:5], times[-5:], out[3])
