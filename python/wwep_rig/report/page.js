"use strict";
// Draws the page: unpacks the columns, then the timeline (timeline.js), the histograms (SVG) and the
// list of round trips. Times are microseconds since the page's zero. d3 scales and makes axes.

const rowsAtOnce = 200;
const detailMargin = 5000;
const detailEventsMax = 300;
const latencies = ["press_to_led_ms", "press_to_frame_ms", "frame_to_reply_ms", "handshake_ms"];

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
