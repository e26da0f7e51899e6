/** Names of stylesheets that load with their script; set by build.js. */
declare const MAP_STYLE: string;
declare const CALENDAR_STYLE: string;
