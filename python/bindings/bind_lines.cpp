// What lines do, as values: bounce profiles, windows of an LED, the rig's measurement of itself.
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include "python/bindings/bindings.hpp"
#include "python/bindings/options.hpp"
#include "rig/button/bounce_profile.hpp"
#include "rig/led/led_window.hpp"
#include "rig/line/loopback.hpp"

namespace py = pybind11;

namespace bindings {
namespace {

void add_led_windows(py::module_& m) {
    py::class_<rig::LedEdge>(m, "LedEdge")
        .def_readonly("at_ns", &rig::LedEdge::at_ns)
        .def_readonly("is_on", &rig::LedEdge::is_on)
        .def_readonly("lost_before", &rig::LedEdge::lost_before);
    py::class_<rig::LedWindow>(m, "LedWindow")
        .def_readonly("led", &rig::LedWindow::led)
        .def_readonly("from_ns", &rig::LedWindow::from_ns)
        .def_readonly("until_ns", &rig::LedWindow::until_ns)
        .def_readonly("was_on", &rig::LedWindow::was_on)
        .def_readonly("edges", &rig::LedWindow::edges)
        .def_readonly("lost_after", &rig::LedWindow::lost_after)
        .def_property_readonly("on_share", &rig::on_share)
        .def("is_on_at", &rig::is_on_at, py::arg("at_ns"))
        .def("describe", [](const rig::LedWindow& window) { return rig::describe(window); });
    py::enum_<rig::LedAnswer>(m, "LedAnswer")
        .value("yes", rig::LedAnswer::yes)
        .value("no", rig::LedAnswer::no)
        .value("cannot_tell", rig::LedAnswer::cannot_tell);
    py::class_<rig::LedVerdict>(m, "LedVerdict")
        .def_readonly("answer", &rig::LedVerdict::answer)
        .def_readonly("text", &rig::LedVerdict::text);
    m.def("led_stays", &rig::stays, py::arg("window"), py::arg("on"));
    m.def(
        "led_blinks",
        [](const rig::LedWindow& window, double period_s, double duty, double tolerance) {
            return rig::blinks(
                window, {.period = from_seconds(period_s), .duty = duty, .tolerance = tolerance});
        },
        py::arg("window"), py::kw_only(), py::arg("period_s"), py::arg("duty"),
        py::arg("tolerance"));
}

void add_loopback(py::module_& m) {
    py::class_<rig::Spread>(m, "Spread")
        .def_readonly("p50_ns", &rig::Spread::p50_ns)
        .def_readonly("p99_ns", &rig::Spread::p99_ns)
        .def_readonly("max_ns", &rig::Spread::max_ns)
        .def_readonly("jitter_ns", &rig::Spread::jitter_ns);
    py::class_<rig::LoopbackReport>(m, "LoopbackReport")
        .def_readonly("samples", &rig::LoopbackReport::samples)
        .def_readonly("missed", &rig::LoopbackReport::missed)
        .def_readonly("set_call", &rig::LoopbackReport::set_call)
        .def_readonly("set_to_edge", &rig::LoopbackReport::set_to_edge)
        .def_readonly("edge_to_read", &rig::LoopbackReport::edge_to_read);
    m.def("spread_of", &rig::spread_of, py::arg("durations_ns"));
}

}  // namespace

void add_lines(py::module_& m) {
    add_led_windows(m);
    add_loopback(m);
    py::class_<rig::PressStep>(m, "PressStep")
        .def_readonly("after_ns", &rig::PressStep::after_ns)
        .def_readonly("closed", &rig::PressStep::closed);
    m.def(
        "press_steps",
        [](const std::string& profile, double hold_s) {
            return rig::press_steps(profile, from_seconds(hold_s));
        },
        py::arg("profile"), py::arg("hold_s"));
}

}  // namespace bindings
