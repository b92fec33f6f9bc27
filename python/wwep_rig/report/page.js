"use strict";
// Draws the page: unpacks the columns, then the timeline (canvas), the histograms (SVG) and the list
// of round trips. Times are microseconds since the page's zero. d3 scales, zooms and makes axes.

const gutter = 130;
const laneHeight = 26;
const axisHeight = 22;
const rowsAtOnce = 200;
const detailMargin = 5000;
const detailEventsMax = 300;
const latencies = ["press_to_led_ms", "press_to_frame_ms", "frame_to_reply_ms", "handshake_ms"];
const eventLanes = ["connection", "frame", "reply", "console", "fault", "target", "rig", "test"];

async function unpack(base64) {
    const bytes = Uint8Array.from(atob(base64.trim()), (letter) => letter.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
    return JSON.parse(await new Response(stream).text());
}

function sums(differences) {
    let sum = 0;
    return differences.map((difference) => (sum += difference));
}

/** Turns the columns into marks (a moment on a lane), spans and levels, and a list of trips. */
function readColumns(data) {
    const text = (number) => (number === null ? "" : data.texts[number]);
    const marks = [];
    const spans = [];
    const levels = new Map(data.lines.map((line) => [text(line.name), { ...line, steps: [] }]));
    const mark = (at, lane, words, press) => marks.push({ at, lane, words, press });
    const each = (table, draw) => {
        const columns = data[table];
        sums(columns.at).forEach((at, i) => draw(at, (name) => columns[name][i]));
    };
    each("edges", (at, get) => {
        const line = levels.get(text(get("line")));
        line.steps.push({ at, on: get("level") === line.active });
        mark(at, text(get("line")), `${text(get("line"))} goes ${get("level") ? "high" : "low"}`);
    });
    each("presses", (at, get) => {
        const name = `press ${get("id")}: ${text(get("line"))}`;
        mark(at, text(get("line")), `${name} asserted (${text(get("profile"))})`, get("id"));
        if (get("released") !== null) {
            mark(at + get("released"), text(get("line")), `${name} released`, get("id"));
        }
    });
    each("connections", (at, get) => {
        const name = `connection ${get("id")}`;
        const how = get("secure") ? `secure ${text(get("tls_version"))} ${text(get("cipher"))}` : "in the clear";
        const closed = get("closed");
        spans.push({ from: at, to: closed === null ? data.until : at + closed, secure: get("secure") });
        mark(at, "connection", `${name} from ${text(get("peer"))}, ${how}`);
        if (closed !== null) {
            mark(at + closed, "connection", `${name} closed: ${text(get("end_reason"))}`);
        }
    });
    each("frames", (at, get) => {
        const name = `connection ${get("connection_id")}`;
        const reason = get("reason") === null ? "" : `: ${text(get("reason"))}`;
        mark(at, "frame", `${name}: ${text(get("verdict"))} ${text(get("raw"))}${reason}`);
        if (get("replied") !== null) {
            mark(at + get("replied"), "reply", `${name}: reply ${text(get("reply"))}`);
        }
    });
    each("console", (at, get) => mark(at, "console", text(get("text"))));
    each("faults", (at, get) => mark(at, "fault", `fault ${text(get("name"))} fired`));
    each("target", (at, get) => mark(at, "target", text(get("what"))));
    each("notes", (at, get) => mark(at, "rig", (get("is_error") ? "rig error: " : "") + text(get("what"))));
    each("tests", (at, get) => {
        mark(at, "test", `${text(get("nodeid"))} began`);
        if (get("ended") !== null) {
            mark(at + get("ended"), "test", `${text(get("nodeid"))} ${text(get("told"))}`);
        }
    });
    marks.sort((a, b) => a.at - b.at);

    const columns = data.trips;
    const ids = sums(columns.id);
    const trips = sums(columns.at).map((at, i) => {
        const trip = { id: ids[i], at, ended: at + columns.ended[i], led: columns.led_is_on[i] };
        for (const name of ["button", "state", "problem", "test", "frame", "reply", "how"]) {
            trip[name] = text(columns[name][i]);
        }
        for (const name of latencies) {
            trip[name] = columns[name][i] === null ? null : columns[name][i] / 1000;
        }
        return trip;
    });
    return { marks, spans, levels, trips, until: Math.max(data.until, 1) };
}

/** A colour of the style sheet, as a canvas knows it: it cannot resolve a variable itself. */
function colour(name) {
    const probe = document.createElement("span");
    probe.style.color = `var(--${name})`;
    document.body.append(probe);
    const resolved = getComputedStyle(probe).color;
    probe.remove();
    return resolved;
}

function timeText(at, step) {
    const digits = Math.max(0, Math.ceil(-Math.log10(step / 1e6)));
    return step < 1000 ? `${(at / 1000).toFixed(Math.max(0, digits - 3))} ms` : `${(at / 1e6).toFixed(digits)} s`;
}

class Timeline {
    constructor(read, pressed) {
        this.read = read;
        this.pressed = pressed;
        this.box = document.getElementById("picture");
        this.pointed = document.getElementById("pointed");
        this.canvas = this.box.appendChild(document.createElement("canvas"));
        const seen = new Set(read.marks.map((mark) => mark.lane));
        this.lanes = [...read.levels.keys(), ...eventLanes.filter((lane) => seen.has(lane))];
        this.marksOf = new Map(this.lanes.map((lane) => [lane, []]));
        read.marks.forEach((mark) => this.marksOf.get(mark.lane)?.push(mark));
        this.height = this.lanes.length * laneHeight + axisHeight;
        this.zoom = d3.zoom().on("zoom", () => this.draw());
        this.selection = d3.select(this.canvas);
        this.resize();
        this.selection.call(this.zoom).on("dblclick.zoom", null);
        this.canvas.addEventListener("mousemove", (event) => this.point(event));
        this.canvas.addEventListener("click", (event) => this.click(event));
        this.box.addEventListener("keydown", (event) => this.key(event));
        new ResizeObserver(() => this.resize()).observe(this.box);
        matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.draw());
        // On paper everything is dark on white, also what a canvas holds.
        addEventListener("beforeprint", () => this.printed(true));
        addEventListener("afterprint", () => this.printed(false));
    }

    printed(is) {
        document.documentElement.classList.toggle("printing", is);
        this.draw();
    }

    resize() {
        const width = Math.max(this.box.clientWidth, gutter + 200);
        if (width === this.width) {
            return;
        }
        const shown = this.width ? this.shown() : null;
        this.width = width;
        const sharpness = devicePixelRatio || 1;
        this.canvas.width = width * sharpness;
        this.canvas.height = this.height * sharpness;
        this.canvas.style.height = `${this.height}px`;
        this.context = this.canvas.getContext("2d");
        this.context.scale(sharpness, sharpness);
        this.whole = d3.scaleLinear().domain([0, this.read.until]).range([gutter, width]);
        const area = [[gutter, 0], [width, this.height]];
        // Down to a microsecond for ten pixels.
        this.zoom.extent(area).translateExtent(area).scaleExtent([1, Math.max(1, this.read.until / (width / 10))]);
        shown ? this.show(...shown) : this.draw();
    }

    scale() {
        return d3.zoomTransform(this.canvas).rescaleX(this.whole);
    }

    shown() {
        return this.scale().domain();
    }

    /** Zooms to a stretch of time. */
    show(from, to) {
        const most = this.zoom.scaleExtent()[1];
        const factor = Math.min(most, (this.width - gutter) / (this.whole(to) - this.whole(from)));
        const left = gutter - factor * this.whole(from);
        this.selection.call(this.zoom.transform, d3.zoomIdentity.translate(left, 0).scale(factor));
    }

    key(event) {
        const step = (this.width - gutter) / 4 / d3.zoomTransform(this.canvas).k;
        const actions = {
            "+": () => this.selection.call(this.zoom.scaleBy, 1.6),
            "=": () => this.selection.call(this.zoom.scaleBy, 1.6),
            "-": () => this.selection.call(this.zoom.scaleBy, 1 / 1.6),
            ArrowLeft: () => this.selection.call(this.zoom.translateBy, step, 0),
            ArrowRight: () => this.selection.call(this.zoom.translateBy, -step, 0),
            0: () => this.selection.call(this.zoom.transform, d3.zoomIdentity),
        };
        if (actions[event.key] && !event.ctrlKey && !event.metaKey) {
            event.preventDefault();
            actions[event.key]();
        }
    }

    nearest(event) {
        const [x, y] = [event.offsetX, event.offsetY];
        const marks = this.marksOf.get(this.lanes[Math.floor(y / laneHeight)]) ?? [];
        const scale = this.scale();
        const right = d3.bisector((mark) => mark.at).left(marks, scale.invert(x));
        const found = [marks[right - 1], marks[right]]
            .filter((mark) => mark && Math.abs(scale(mark.at) - x) < 8)
            .sort((a, b) => Math.abs(scale(a.at) - x) - Math.abs(scale(b.at) - x));
        return found[0];
    }

    point(event) {
        const mark = this.nearest(event);
        this.pointed.textContent = mark ? `${(mark.at / 1e6).toFixed(6)} s  ${mark.lane}: ${mark.words}` : "\u00a0";
    }

    click(event) {
        const press = this.nearest(event)?.press;
        if (press) {
            this.pressed(press);
        }
    }

    draw() {
        const context = this.context;
        const scale = this.scale();
        const [from, to] = scale.domain();
        this.box.dataset.from = from;
        this.box.dataset.to = to;
        context.fillStyle = colour("ground");
        context.fillRect(0, 0, this.width, this.height);
        this.drawAxis(context, scale);
        this.lanes.forEach((lane, i) => {
            const top = i * laneHeight;
            const line = this.read.levels.get(lane);
            const shade = colour(line ? line.kind : lane);
            context.save();
            context.beginPath();
            context.rect(gutter, top, this.width - gutter, laneHeight);
            context.clip();
            if (line) {
                this.drawLevel(context, scale, line.steps, top, shade);
            } else {
                if (lane === "connection") {
                    this.drawSpans(context, scale, top, shade);
                }
                this.drawMarks(context, scale, this.marksOf.get(lane), top, shade);
            }
            context.restore();
            context.fillStyle = shade;
            context.font = "12px system-ui, sans-serif";
            context.textBaseline = "middle";
            context.fillText(lane, 6, top + laneHeight / 2, gutter - 10);
        });
    }

    drawAxis(context, scale) {
        const ticks = scale.ticks(8);
        const step = ticks.length > 1 ? ticks[1] - ticks[0] : this.read.until;
        const bottom = this.height - axisHeight;
        context.strokeStyle = colour("line");
        context.fillStyle = colour("faint");
        context.font = "11px system-ui, sans-serif";
        context.textBaseline = "top";
        context.beginPath();
        for (const tick of ticks) {
            const x = Math.round(scale(tick)) + 0.5;
            context.moveTo(x, 0);
            context.lineTo(x, bottom);
            context.fillText(timeText(tick, step), Math.min(x + 2, this.width - 55), bottom + 4);
        }
        for (let i = 1; i <= this.lanes.length; ++i) {
            context.moveTo(0, i * laneHeight + 0.5);
            context.lineTo(this.width, i * laneHeight + 0.5);
        }
        context.stroke();
    }

    drawLevel(context, scale, steps, top, shade) {
        const low = top + laneHeight - 5;
        const high = top + 5;
        const y = (on) => (on ? high : low);
        const [from, to] = scale.domain();
        const first = Math.max(0, d3.bisector((step) => step.at).left(steps, from) - 1);
        let on = steps[first] && steps[first].at < from ? steps[first].on : !(steps[first]?.on ?? true);
        let lastX = gutter;
        context.strokeStyle = context.fillStyle = shade;
        context.lineWidth = 1.5;
        context.beginPath();
        context.moveTo(gutter, y(on));
        for (let i = first; i < steps.length && steps[i].at <= to; ++i) {
            const x = Math.max(gutter, scale(steps[i].at));
            if (on) {
                context.globalAlpha = 0.25;
                context.fillRect(lastX, high, Math.max(x - lastX, 0.5), low - high);
                context.globalAlpha = 1;
            }
            context.lineTo(x, y(on));
            on = steps[i].on; // the same twice: a board that was started again has let it go silently
            context.lineTo(x, y(!on));
            context.lineTo(x, y(on));
            lastX = x;
        }
        if (on) {
            context.globalAlpha = 0.25;
            context.fillRect(lastX, high, this.width - lastX, low - high);
            context.globalAlpha = 1;
        }
        context.lineTo(this.width, y(on));
        context.stroke();
        context.lineWidth = 1;
    }

    drawSpans(context, scale, top, shade) {
        const [from, to] = scale.domain();
        context.fillStyle = shade;
        context.globalAlpha = 0.35;
        for (const span of this.read.spans) {
            if (span.to >= from && span.from <= to) {
                const x = scale(span.from);
                // What is secure lies in the lower half.
                const y = top + (span.secure ? laneHeight / 2 : 4);
                context.fillRect(x, y, Math.max(scale(span.to) - x, 1), laneHeight / 2 - 4);
            }
        }
        context.globalAlpha = 1;
    }

    drawMarks(context, scale, marks, top, shade) {
        const [from, to] = scale.domain();
        const first = d3.bisector((mark) => mark.at).left(marks, from);
        let lastX = -1;
        context.strokeStyle = shade;
        context.lineWidth = 2;
        context.beginPath();
        for (let i = first; i < marks.length && marks[i].at <= to; ++i) {
            const x = Math.round(scale(marks[i].at) * 2) / 2;
            if (x !== lastX) {
                context.moveTo(x, top + 5);
                context.lineTo(x, top + laneHeight - 5);
                lastX = x;
            }
        }
        context.stroke();
        context.lineWidth = 1;
    }
}

function drawHistogram(figure, trips) {
    const values = trips.map((trip) => trip[figure.dataset.latency]).filter((value) => value !== null);
    const floor = parseFloat(figure.dataset.floor);
    const marks = figure.dataset.marks.split(" ").map(Number).filter(Number.isFinite);
    const [width, height, left, bottom, top] = [560, 190, 44, 24, 26];
    let [low, high] = d3.extent(Number.isFinite(floor) ? [...values, floor] : values);
    const isLogarithmic = low > 0 && high / low > 30;
    low = isLogarithmic ? low : Math.min(low, 0);
    high = high > low ? high : low + 1;
    const x = (isLogarithmic ? d3.scaleLog() : d3.scaleLinear()).domain([low, high]).range([left, width - 10]);
    const edges = d3.range(1, 50).map((i) => x.invert(left + ((width - 10 - left) * i) / 50));
    const bins = d3.histogram().domain([low, high]).thresholds(edges)(values);
    const y = d3.scaleLinear().domain([0, d3.max(bins, (bin) => bin.length)]).nice().range([height - bottom, top]);
    const svg = d3.select(figure).append("svg").attr("viewBox", `0 0 ${width} ${height}`).attr("role", "img");
    svg.append("title").text(`Histogram of ${values.length} presses, in milliseconds`);
    svg.selectAll("rect").data(bins.filter((bin) => bin.length)).join("rect").attr("class", "bar")
        .attr("x", (bin) => x(bin.x0)).attr("width", (bin) => Math.max(1, x(bin.x1) - x(bin.x0) - 0.5))
        .attr("y", (bin) => y(bin.length)).attr("height", (bin) => y(0) - y(bin.length));
    svg.append("g").attr("class", "axis").attr("transform", `translate(0,${height - bottom})`)
        .call(isLogarithmic ? d3.axisBottom(x).ticks(6, "~g") : d3.axisBottom(x).ticks(6));
    svg.append("g").attr("class", "axis").attr("transform", `translate(${left},0)`).call(d3.axisLeft(y).ticks(Math.min(4, y.domain()[1])).tickFormat(d3.format("d")));
    const line = (at, className, words, row) => {
        svg.append("line").attr("class", className).attr("x1", x(at)).attr("x2", x(at)).attr("y1", 10 * row + 4).attr("y2", height - bottom);
        const isRight = x(at) > width - 80;
        svg.append("text").attr("class", `${className}-name`).attr("x", x(at) + (isRight ? -3 : 3)).attr("y", 10 * row + 10)
            .attr("text-anchor", isRight ? "end" : "start").text(words);
    };
    marks.forEach((at, i) => line(at, "mark", ["p50", "p95", "p99"][i], i));
    if (Number.isFinite(floor)) {
        line(floor, "floor", "rig floor", 0);
    }
}

class Trips {
    constructor(read, timeline) {
        this.read = read;
        this.timeline = timeline;
        this.body = document.querySelector("#rows tbody");
        this.more = document.getElementById("more");
        this.select = document.getElementById("state");
        for (const state of new Set(read.trips.map((trip) => trip.state))) {
            this.select.add(new Option(state, state));
        }
        this.select.addEventListener("change", () => this.list());
        this.more.addEventListener("click", () => this.grow(this.drawn + rowsAtOnce));
        addEventListener("hashchange", () => this.follow());
        this.list();
        this.follow();
    }

    list() {
        this.listed = this.read.trips.filter((trip) => !this.select.value || trip.state === this.select.value);
        this.body.replaceChildren();
        this.drawn = 0;
        this.grow(rowsAtOnce);
    }

    grow(until) {
        this.body.append(...this.listed.slice(this.drawn, until).map((trip) => this.row(trip)));
        this.drawn = Math.min(until, this.listed.length);
        this.more.hidden = this.drawn === this.listed.length;
        document.getElementById("shown").textContent = `${this.drawn} of ${this.listed.length} shown`;
    }

    row(trip) {
        const row = document.createElement("tr");
        row.id = `press-${trip.id}`;
        row.className = trip.state;
        const link = document.createElement("a");
        link.href = `#press-${trip.id}`;
        link.textContent = trip.id;
        row.insertCell().append(link);
        const led = trip.led === null ? "" : trip.led ? "on" : "off";
        const exchange = trip.frame ? `${trip.frame} → ${trip.reply || "nothing"}` : "";
        for (const words of [(trip.at / 1e6).toFixed(3), trip.button, trip.state, trip.problem, led, trip.how, exchange]) {
            row.insertCell().textContent = words;
        }
        for (const name of latencies) {
            const cell = row.insertCell();
            cell.className = "number";
            cell.textContent = trip[name] === null ? "" : trip[name].toFixed(3);
        }
        if (trip.test) {
            row.insertCell().textContent = trip.test;
        }
        row.addEventListener("click", () => this.open(trip.id));
        return row;
    }

    follow() {
        const found = /^#press-(\d+)$/.exec(location.hash);
        if (found) {
            this.choose(Number(found[1]));
        }
    }

    open(id) {
        if (location.hash === `#press-${id}`) {
            this.choose(id);
        } else {
            location.hash = `press-${id}`;
        }
    }

    /** Shows a press: its row, its events below it, and its stretch of the timeline. */
    choose(id) {
        if (!this.listed.some((trip) => trip.id === id)) {
            this.select.value = "";
            this.list();
        }
        const place = this.listed.findIndex((trip) => trip.id === id);
        if (place < 0) {
            return;
        }
        this.grow(Math.max(this.drawn, place + 1));
        this.body.querySelector(".chosen")?.classList.remove("chosen");
        this.body.querySelector(".detail")?.remove();
        const trip = this.listed[place];
        const row = document.getElementById(`press-${id}`);
        row.classList.add("chosen");
        row.after(this.detail(trip));
        row.scrollIntoView({ block: "center" });
        const margin = Math.max((trip.ended - trip.at) / 5, 1000);
        this.timeline.show(trip.at - margin, trip.ended + margin);
    }

    detail(trip) {
        const row = document.createElement("tr");
        row.className = "detail";
        const cell = row.insertCell();
        cell.colSpan = 13;
        const table = cell.appendChild(document.createElement("table"));
        table.className = "events";
        const marks = this.read.marks;
        const first = d3.bisector((mark) => mark.at).left(marks, trip.at - detailMargin);
        for (let i = first; i < Math.min(marks.length, first + detailEventsMax); ++i) {
            if (marks[i].at > trip.ended + detailMargin) {
                break;
            }
            const event = table.insertRow();
            const line = this.read.levels.get(marks[i].lane);
            event.className = `lane-${line ? line.kind : marks[i].lane}`;
            const after = ((marks[i].at - trip.at) / 1000).toFixed(3);
            for (const words of [`${after} ms`, marks[i].lane, marks[i].words]) {
                event.insertCell().textContent = words;
            }
        }
        return row;
    }
}

unpack(document.getElementById("data").textContent).then((data) => {
    const read = readColumns(data);
    let trips = null;
    const timeline = new Timeline(read, (id) => trips.open(id));
    document.querySelectorAll("#histograms figure").forEach((figure) => drawHistogram(figure, read.trips));
    trips = new Trips(read, timeline);
    document.body.dataset.drawn = "yes";
});
