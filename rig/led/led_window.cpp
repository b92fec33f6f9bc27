#include "rig/led/led_window.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <utility>

#include "rig/base/errors.hpp"

namespace rig {
namespace {

constexpr double tolerance_max = 0.5;
constexpr std::int64_t periods_min = 2;

double ms(std::int64_t duration_ns) {
    return static_cast<double>(duration_ns) / static_cast<double>(ns_per_ms);
}

std::string_view on_or_off(bool on) {
    return on ? "on" : "off";
}

std::uint64_t lost_in(const LedWindow& window) {
    std::uint64_t lost = window.lost_after;
    for (const LedEdge& edge : window.edges) {
        lost += edge.lost_before;
    }
    return lost;
}

LedVerdict verdict(LedAnswer answer, const LedWindow& window, const std::string& expected,
                   const std::string& instead) {
    return {.answer = answer,
            .text = fmt::format("{}: expected {} for {:.3f} ms; {}; seen: {}", window.led, expected,
                                ms(window.until_ns - window.from_ns), instead, describe(window))};
}

LedVerdict lost_edges(const LedWindow& window, const std::string& expected, std::uint64_t lost) {
    return verdict(LedAnswer::cannot_tell, window, expected,
                   fmt::format("the rig lost {} edges, so nobody can tell", lost));
}

/// What is wrong with one stretch of on or off, empty if nothing is. The first and the last one
/// of a window are cut off by it: they can be too long, never too short.
std::string trouble_with(bool on, std::int64_t lasted_ns, bool is_cut_off,
                         const Blinking& expected) {
    const auto period_ns = static_cast<double>(expected.period.count());
    const double right_ns = period_ns * (on ? expected.duty : 1 - expected.duty);
    const double margin_ns = period_ns * expected.tolerance;
    const auto seen_ns = static_cast<double>(lasted_ns);
    if (seen_ns > right_ns + margin_ns || (!is_cut_off && seen_ns < right_ns - margin_ns)) {
        return fmt::format("it was {} for {:.3f} ms, and {:.3f} ms within {:.3f} ms would be right",
                           on_or_off(on), seen_ns / static_cast<double>(ns_per_ms),
                           right_ns / static_cast<double>(ns_per_ms),
                           margin_ns / static_cast<double>(ns_per_ms));
    }
    return "";
}

void check(const Blinking& expected) {
    if (expected.period.count() <= 0) {
        throw std::invalid_argument("the period of a blinking LED must be longer than 0");
    }
    if (!(expected.duty > 0 && expected.duty < 1)) {
        throw std::invalid_argument(
            fmt::format("the duty of a blinking LED is between 0 and 1, not {}", expected.duty));
    }
    if (!(expected.tolerance >= 0 && expected.tolerance <= tolerance_max)) {
        throw std::invalid_argument(fmt::format(
            "the tolerance of a blinking LED is a share of its period from 0 to {}, not {}",
            tolerance_max, expected.tolerance));
    }
}

}  // namespace

std::vector<LedEdge> led_edges(std::span<const Edge> edges, Active active) {
    std::vector<LedEdge> result;
    for (std::size_t i = 0; i < edges.size(); ++i) {
        const std::uint64_t expected = i == 0 ? edges[i].seqno : edges[i - 1].seqno + 1;
        result.push_back(
            {.at_ns = edges[i].at_ns,
             .is_on = is_active(edges[i].level, active),
             .lost_before = edges[i].seqno > expected ? edges[i].seqno - expected : 0});
    }
    return result;
}

LedWindow led_window(std::string led, std::span<const LedEdge> edges, bool was_on,
                     TimestampNs from_ns, TimestampNs until_ns) {
    if (until_ns < from_ns) {
        throw std::invalid_argument(fmt::format("a window of {} ends {:.3f} ms before it begins",
                                                led, ms(from_ns - until_ns)));
    }
    LedWindow window{.led = std::move(led),
                     .from_ns = from_ns,
                     .until_ns = until_ns,
                     .was_on = was_on,
                     .edges = {}};
    for (const LedEdge& edge : edges) {
        if (edge.at_ns < from_ns) {
            window.was_on = edge.is_on;
        } else if (edge.at_ns < until_ns) {
            window.edges.push_back(edge);
        } else {
            window.lost_after = edge.lost_before;
            break;
        }
    }
    return window;
}

void LedHistory::take(const Edge& edge) {
    const std::uint64_t expected = seqno_ + 1;
    seqno_ = edge.seqno;
    is_on_ = is_active(edge.level, active_);
    edges_.push_back({.at_ns = edge.at_ns,
                      .is_on = is_on_,
                      .lost_before = edge.seqno > expected ? edge.seqno - expected : 0});
    if (edges_.size() > edges_kept_max) {
        was_on_ = edges_.front().is_on;
        forgotten_until_ns_ = edges_.front().at_ns;
        edges_.pop_front();
    }
}

void LedHistory::set(Level level, TimestampNs now_ns) {
    if (is_active(level, active_) != is_on_) {
        // Numbers go on where they were: nothing was lost.
        take({.at_ns = now_ns, .seqno = seqno_ + 1, .level = level});
        --seqno_;
    }
}

LedWindow LedHistory::window(std::string led, TimestampNs from_ns, TimestampNs until_ns) const {
    if (from_ns < forgotten_until_ns_) {
        throw RigError(
            fmt::format("{}: only the last {} edges are kept, and the window begins "
                        "{:.3f} ms before them",
                        led, edges_kept_max, ms(forgotten_until_ns_ - from_ns)));
    }
    const std::vector<LedEdge> edges(edges_.begin(), edges_.end());
    return led_window(std::move(led), edges, was_on_, from_ns, until_ns);
}

bool is_on_at(const LedWindow& window, TimestampNs at_ns) {
    bool is_on = window.was_on;
    for (const LedEdge& edge : window.edges) {
        if (edge.at_ns > at_ns) {
            break;
        }
        is_on = edge.is_on;
    }
    return is_on;
}

double on_share(const LedWindow& window) {
    if (window.until_ns <= window.from_ns) {
        return 0;
    }
    std::int64_t on_ns = 0;
    bool is_on = window.was_on;
    TimestampNs since_ns = window.from_ns;
    for (const LedEdge& edge : window.edges) {
        on_ns += is_on ? edge.at_ns - since_ns : 0;
        since_ns = edge.at_ns;
        is_on = edge.is_on;
    }
    on_ns += is_on ? window.until_ns - since_ns : 0;
    return static_cast<double>(on_ns) / static_cast<double>(window.until_ns - window.from_ns);
}

LedVerdict stays(const LedWindow& window, bool on) {
    const std::string expected = fmt::format("it to stay {}", on_or_off(on));
    // One edge the wrong way is enough, whatever else was lost.
    if (window.was_on != on) {
        return verdict(LedAnswer::no, window, expected,
                       fmt::format("it was {} at the beginning", on_or_off(!on)));
    }
    for (const LedEdge& edge : window.edges) {
        if (edge.is_on != on) {
            return verdict(LedAnswer::no, window, expected,
                           fmt::format("it went {} after {:.3f} ms", on_or_off(!on),
                                       ms(edge.at_ns - window.from_ns)));
        }
    }
    if (const std::uint64_t lost = lost_in(window); lost > 0) {
        return lost_edges(window, expected, lost);
    }
    return {};
}

LedVerdict blinks(const LedWindow& window, const Blinking& blinking) {
    check(blinking);
    const std::string expected =
        fmt::format("it to blink every {:.3f} ms, {:.0f} % of that on, within {:.0f} %",
                    ms(blinking.period.count()), blinking.duty * 100, blinking.tolerance * 100);
    if (const std::uint64_t lost = lost_in(window); lost > 0) {
        return lost_edges(window, expected, lost);
    }
    if (window.until_ns - window.from_ns < periods_min * blinking.period.count()) {
        return verdict(LedAnswer::cannot_tell, window, expected,
                       "that is too short to hold two periods, so nobody can tell");
    }
    bool is_on = window.was_on;
    bool is_cut_off = true;  // by the window's beginning
    TimestampNs since_ns = window.from_ns;
    TimestampNs last_on_ns = 0;
    for (const LedEdge& edge : window.edges) {
        const std::string trouble =
            trouble_with(is_on, edge.at_ns - since_ns, is_cut_off, blinking);
        if (!trouble.empty()) {
            return verdict(LedAnswer::no, window, expected, trouble);
        }
        // Two stretches may each be off by the tolerance; their sum may not.
        if (edge.is_on && last_on_ns != 0) {
            const auto period_ns = static_cast<double>(edge.at_ns - last_on_ns);
            const auto right_ns = static_cast<double>(blinking.period.count());
            if (std::abs(period_ns - right_ns) > right_ns * blinking.tolerance) {
                return verdict(LedAnswer::no, window, expected,
                               fmt::format("one period took {:.3f} ms",
                                           period_ns / static_cast<double>(ns_per_ms)));
            }
        }
        last_on_ns = edge.is_on ? edge.at_ns : last_on_ns;
        is_on = edge.is_on;
        is_cut_off = false;
        since_ns = edge.at_ns;
    }
    const std::string trouble = trouble_with(is_on, window.until_ns - since_ns, true, blinking);
    if (!trouble.empty()) {
        return verdict(LedAnswer::no, window, expected, trouble);
    }
    return {};
}

std::string describe(const LedWindow& window) {
    std::string text(on_or_off(window.was_on));
    for (std::size_t i = 0; i < std::min(window.edges.size(), edges_shown_max); ++i) {
        const LedEdge& edge = window.edges[i];
        text += fmt::format("{} {} at {:.3f} ms", i == 0 ? ";" : ",", on_or_off(edge.is_on),
                            ms(edge.at_ns - window.from_ns));
        if (edge.lost_before > 0) {
            text += fmt::format(" (after {} lost)", edge.lost_before);
        }
    }
    if (window.edges.size() > edges_shown_max) {
        text += fmt::format(" and {} more", window.edges.size() - edges_shown_max);
    }
    return text;
}

}  // namespace rig
