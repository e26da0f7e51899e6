// Builds marketplace/static/dist: hashed styles, scripts, fonts and drawings, and manifest.json (name -> hashed file).
// New files are written before the manifest, old ones removed after it, so that a running server never misses one.
import { createHash } from "node:crypto";
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { basename, dirname, extname, join, relative, resolve, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const assets = dirname(fileURLToPath(import.meta.url));
const dist = resolve(assets, "../static/dist");
const root = resolve(assets, "../..");
const require = createRequire(import.meta.url);

const STYLES = ["app", "map", "calendar", "desk"];
const SHIPPED = [
  "hds-core",
  "@fontsource-variable/hanken-grotesk",
  "leaflet",
  "@event-calendar/core",
  "svelte",
  "htmx.org",
];
const TARGET = ["chrome111", "edge111", "firefox113", "safari16.4"];

/** @type {Record<string, string>} */
const manifest = {};
/** @type {Map<string, Uint8Array | string>} */
const output = new Map();

/** Names a file after its content and keeps it for writing; `name` may hold a folder. */
function keep(name, content) {
  const hash = createHash("sha256").update(content).digest("base64url").replace(/[-_]/g, "").slice(0, 8);
  const ext = extname(name);
  const hashed = `${name.slice(0, -ext.length)}-${hash}${ext}`;
  output.set(hashed, content);
  manifest[name] = hashed;
  return hashed;
}

/** Leaves out the before/after variants of the hds icons, which no page uses. */
const icons = {
  name: "icons",
  setup(bundler) {
    bundler.onLoad({ filter: /hds-core.*\.min\.css$/ }, async ({ path }) => ({
      contents: (await readFile(path, "utf8")).replace(/\.hds-icon-(start|end)--[\w-]+\{[^}]*\}/g, ""),
      loader: "css",
    }));
  },
};

/** Points url() in styles at the hashed fonts and drawings. */
const media = {
  name: "media",
  setup(bundler) {
    bundler.onResolve({ filter: /\.(woff2|svg|png)$/ }, async ({ path, resolveDir, kind }) => {
      if (kind !== "url-token") return undefined;
      // Leaflet's own pictures belong to parts we do not use.
      if (path.endsWith(".png")) return { path: "data:,", external: true };
      const file = path.startsWith(".") ? resolve(resolveDir, path) : require.resolve(path);
      const inside = file.startsWith(assets + sep) && !file.includes("node_modules");
      const name = inside ? relative(assets, file).replaceAll(sep, "/") : `fonts/${basename(file)}`;
      return { path: `./${manifest[name] ?? keep(name, await readFile(file))}`, external: true };
    });
  },
};

const common = {
  bundle: true,
  minify: true,
  target: TARGET,
  logLevel: "warning",
  write: false,
  outdir: dist,
};

async function pictures() {
  for (const file of (await readdir(join(assets, "art"))).sort()) {
    if (file.endsWith(".svg")) keep(`art/${file}`, await readFile(join(assets, "art", file)));
  }
  for (const file of ["favicon.svg", "logo.svg"]) keep(file, await readFile(join(assets, file)));
}

async function styles() {
  const entryPoints = STYLES.map((name) => join(assets, `css/${name}.css`));
  const { outputFiles } = await build({ ...common, entryPoints, plugins: [icons, media] });
  for (const { path, contents } of outputFiles) keep(basename(path), contents);
}

async function scripts() {
  const { outputFiles, metafile } = await build({
    ...common,
    entryPoints: [join(assets, "js/app.js")],
    format: "esm",
    splitting: true,
    metafile: true,
    entryNames: "[name]-[hash]",
    chunkNames: "[name]-[hash]",
    legalComments: "none",
    define: {
      MAP_STYLE: JSON.stringify(manifest["map.css"]),
      CALENDAR_STYLE: JSON.stringify(manifest["calendar.css"]),
    },
  });
  for (const { path, contents } of outputFiles) output.set(basename(path), contents);
  for (const [path, { entryPoint }] of Object.entries(metafile.outputs)) {
    if (entryPoint?.endsWith("js/app.js")) manifest["app.js"] = basename(path);
  }
}

/** The licences of what is shipped to the browser, as they ask. */
async function licences() {
  const texts = [];
  for (const name of SHIPPED) {
    const folder = join(root, "node_modules", name);
    const { version, license } = JSON.parse(await readFile(join(folder, "package.json"), "utf8"));
    const file = (await readdir(folder)).find((entry) => /^licen[cs]e/i.test(entry));
    const text = file ? await readFile(join(folder, file), "utf8") : "";
    texts.push(`${name} ${version} (${license})\n\n${text}`.trim());
  }
  keep("licenses.txt", texts.join("\n\n---\n\n") + "\n");
}

async function write() {
  for (const [name, content] of output) {
    await mkdir(dirname(join(dist, name)), { recursive: true });
    await writeFile(join(dist, name), content);
  }
  const names = Object.fromEntries(Object.entries(manifest).sort(([a], [b]) => (a < b ? -1 : 1)));
  await writeFile(join(dist, "manifest.json"), JSON.stringify(names, null, 2) + "\n");
  for (const entry of await readdir(dist, { recursive: true, withFileTypes: true })) {
    const file = join(entry.parentPath ?? entry.path, entry.name);
    const name = relative(dist, file).replaceAll(sep, "/");
    if (entry.isFile() && name !== "manifest.json" && !output.has(name)) await rm(file);
  }
}

const begin = performance.now();
await pictures();
await styles();
await scripts();
await licences();
await write();
const kb = (pattern) =>
  [...output].reduce((sum, [name, content]) => sum + (pattern.test(name) ? content.length : 0), 0) / 1000;
console.log(
  `${output.size} files in ${Math.round(performance.now() - begin)} ms: ` +
    `app.css ${kb(/^app.*css$/).toFixed(0)} kB, app.js ${kb(/^app.*js$/).toFixed(0)} kB, all scripts ${kb(/js$/).toFixed(0)} kB`,
);
