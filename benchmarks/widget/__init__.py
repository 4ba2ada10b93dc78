"""What a visitor pays for a portrait on a page, and what it shows: the aims of the widget, measured in browsers."""
