"""Headers that keep a browser careful."""

from flask import Flask, Response, g, request

from marketplace.web.request import is_api

CSP = "; ".join(
    (
        "default-src 'self'",
        "script-src 'self'",
        "style-src 'self'",
        # Day lines and bars place themselves by a custom property in a style attribute.
        "style-src-attr 'unsafe-inline'",
        "img-src 'self' data:{tiles}",
        "font-src 'self'",
        "connect-src 'self'",
        "object-src 'none'",
        "base-uri 'none'",
        # Browsers also follow a form's redirects here, and paying leads on to the payment service.
        "form-action 'self'{pay_pages}",
        "frame-ancestors 'none'",
    )
)


def install(app: Flask) -> None:
    """Add the headers to every answer."""
    tiles = app.config["TILE_URL"]
    origin = "/".join(tiles.split("/")[:3]).replace("{s}", "*") if tiles else ""
    pay_pages = app.config["PAY_PAGES"]
    csp = CSP.format(tiles=f" {origin}" if origin else "", pay_pages=f" {pay_pages}" if pay_pages else "")

    @app.after_request
    def be_careful(response: Response) -> Response:
        headers = response.headers
        headers.setdefault("Content-Security-Policy", csp)
        headers.setdefault("X-Content-Type-Options", "nosniff")
        headers.setdefault("Referrer-Policy", "strict-origin-when-cross-origin")
        headers.setdefault("X-Frame-Options", "DENY")
        headers.setdefault("Permissions-Policy", "geolocation=(self), camera=(), microphone=()")
        if app.config["PRODUCTION"]:
            headers.setdefault("Strict-Transport-Security", "max-age=31536000; includeSubDomains")
        # What says of itself that it is for everybody (a photo, the theme) does not depend on who asks.
        if request.endpoint != "static" and not is_api() and not response.cache_control.public:
            actor = g.get("actor")
            if actor is not None and actor.is_signed_in:
                headers.setdefault("Cache-Control", "private, no-store")
            else:
                # A form's token belongs to one browser, whatever a cache on the way makes of Vary.
                headers.setdefault("Cache-Control", "private, no-cache")
            headers.add("Vary", "Cookie")
        return response
