"use strict";
// The timeline of the page, on a canvas: lanes of levels, spans and marks, which d3 scales and zooms.
// Times are microseconds since the page's zero.

const gutter = 130;
const laneHeight = 26;
const axisHeight = 22;
const eventLanes = ["connection", "frame", "reply", "console", "fault", "target", "rig", "test"];

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
