"""The application as the race bench serves it: the product without CSRF tokens, which the racers do not fetch."""

from wsgi import app

app.config["WTF_CSRF_ENABLED"] = False
app.testing = False  # as in production, the city's row is remembered for half a minute
