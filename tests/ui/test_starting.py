import gradio as gr
import pytest
from gradio.routes import App
from starlette.middleware import Middleware
from starlette.testclient import TestClient

from gaze.ui.starting import Repeatable


@pytest.mark.parametrize("repeatable", [True, False])
def test_a_server_whose_port_was_taken_starts_on_the_next(repeatable: bool) -> None:
    """False: Gradio alone; once it can do that by itself, `Repeatable` is needless."""
    with gr.Blocks() as page:
        gr.api(lambda: "here", api_name="health")
    middleware = [Middleware(Repeatable, page)] if repeatable else []
    app = App.create_app(page, app_kwargs={"middleware": middleware}, mcp_server=True)
    with TestClient(app):
        pass
    if repeatable:
        with TestClient(app) as client:
            assert client.get("/gradio_api/mcp/").status_code == 200
    else:
        with pytest.raises(RuntimeError, match="only be called once"), TestClient(app):
            pass
