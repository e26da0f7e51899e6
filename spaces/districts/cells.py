"""District outlines where a city has none to give: computed, not official, and their source says so."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import shapely

from marketplace.geo import WGS84

if TYPE_CHECKING:
    import geopandas as gpd

SOURCE = "computed: Voronoi cells of district centres"


def voronoi_districts(
    districts: Sequence[Mapping[str, Any]],
    outline: Sequence[tuple[float, float]],
    islands: Sequence[Sequence[tuple[float, float]]],
    *,
    metric_crs: int,
) -> "gpd.GeoDataFrame":
    """Each point of the city belongs to the nearest district centre.

    Out: unique index code; columns names, geometry; EPSG:4326. Distances are measured in the metric CRS.
    """
    import geopandas as gpd  # noqa: PLC0415 - see `frames`

    centres = gpd.GeoSeries(
        gpd.points_from_xy(*zip(*(d["centre"] for d in districts), strict=True)), crs=WGS84
    )
    land = gpd.GeoSeries([shapely.Polygon(ring) for ring in (outline, *islands)], crs=WGS84)
    metric_centres, metric_land = (
        centres.to_crs(metric_crs),
        shapely.union_all(land.to_crs(metric_crs).make_valid()),
    )
    cells = shapely.get_parts(
        shapely.voronoi_polygons(
            shapely.multipoints(metric_centres.to_numpy()), extend_to=metric_land.buffer(1000)
        )
    )
    found = [next(cell for cell in cells if cell.contains(centre)) for centre in metric_centres]
    frame = gpd.GeoDataFrame(
        {"code": [d["code"] for d in districts], "names": [dict(d["names"]) for d in districts]},
        geometry=[cell.intersection(metric_land) for cell in found],
        crs=metric_crs,
    ).to_crs(WGS84)
    return frame[~frame.geometry.is_empty].set_index("code").sort_index()
