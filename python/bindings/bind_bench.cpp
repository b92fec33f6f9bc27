#include <pybind11/functional.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <functional>
#include <optional>
#include <type_traits>
#include <variant>

#include "harness/bench/bench.hpp"
#include "harness/tls/tls_library.hpp"
#include "python/bindings/bindings.hpp"
#include "python/bindings/options.hpp"

namespace py = pybind11;

namespace bindings {
namespace {

using harness::Bench;
using ReleaseGil = py::call_guard<py::gil_scoped_release>;

constexpr std::size_t events_at_once_max = 10'000;
constexpr double hold_s_default = 0.03;

harness::FaultPort port_kind(bool secure) {
    return secure ? harness::FaultPort::secure : harness::FaultPort::clear;
}

/// A bench with the clock that it reads.
class BoundBench {
  public:
    BoundBench(const BenchOptions& options, const harness::TlsLibrary& tls_library)
        : bench_(to_harness(options), clock_, tls_library) {}

    Bench& operator*() { return bench_; }
    Bench* operator->() { return &bench_; }

    [[nodiscard]] rig::Deadline after(double seconds) const {
        return rig::Deadline::after(clock_, from_seconds(seconds));
    }
    [[nodiscard]] rig::TimestampNs now_ns() const { return clock_.monotonic_ns(); }

  private:
    rig::SystemClock clock_;
    Bench bench_;
};

/// Runs a wait without the GIL. What a signal handler raised meanwhile goes before what the wait
/// returned or threw.
template <class Wait>
auto waiting(Wait&& wait) {
    using Result = std::invoke_result_t<Wait>;
    std::conditional_t<std::is_void_v<Result>, std::monostate, std::optional<Result>> result;
    try {
        const py::gil_scoped_release release;
        if constexpr (std::is_void_v<Result>) {
            wait();
        } else {
            result = wait();
        }
    } catch (const std::exception&) {
        rethrow_interruption();
        throw;
    }
    rethrow_interruption();
    if constexpr (!std::is_void_v<Result>) {
        return std::move(*result);
    }
}

harness::Timeline::Slice wait_events(BoundBench& bench, harness::Cursor cursor, double timeout_s,
                                     std::size_t events_max) {
    return waiting([&] {
        static_cast<void>(bench->timeline().wait(
            cursor, bench.after(timeout_s), [](const harness::Event&) { return true; },
            interrupted));
        return bench->timeline().since(cursor, events_max);
    });
}

}  // namespace

void add_bench(py::module_& m) {
    py::class_<BoundBench>(m, "Bench")
        .def(py::init([m](const BenchOptions& options) {
                 const auto& library = m.attr("_tls_library").cast<const harness::TlsLibrary&>();
                 const py::gil_scoped_release release;
                 return std::make_unique<BoundBench>(options, library);
             }),
             py::arg("options"))
        .def(
            "__enter__", [](BoundBench& bench) -> BoundBench& { return bench; },
            py::return_value_policy::reference_internal)
        .def("__exit__",
             [](BoundBench& bench, const py::args&) {
                 const py::gil_scoped_release release;
                 bench->close();
             })
        .def(
            "close", [](BoundBench& b) { b->close(); }, ReleaseGil())
        .def_property_readonly("plain_endpoints",
                               [](BoundBench& b) { return b->plain_endpoints(); })
        .def_property_readonly("tls_endpoints", [](BoundBench& b) { return b->tls_endpoints(); })
        .def(
            "start_target",
            [](BoundBench& b, double timeout_s) {
                waiting([&] { b->start_target(b.after(timeout_s), interrupted); });
            },
            py::arg("timeout_s"))
        .def("stop_target", [](BoundBench& b) { waiting([&] { b->stop_target(interrupted); }); })
        .def(
            "reset_target",
            [](BoundBench& b, double timeout_s) {
                waiting([&] { b->reset_target(b.after(timeout_s), interrupted); });
            },
            py::arg("timeout_s"))
        .def(
            "cut_target_power", [](BoundBench& b) { b->cut_target_power(); }, ReleaseGil())
        .def(
            "pause_target", [](BoundBench& b) { b->pause_target(); }, ReleaseGil())
        .def(
            "resume_target", [](BoundBench& b) { b->resume_target(); }, ReleaseGil())
        .def(
            "set_target_link", [](BoundBench& b, bool is_up) { b->set_target_link(is_up); },
            py::arg("is_up"), ReleaseGil())
        .def(
            "set_link_faults",
            [](BoundBench& b, const LinkFaultOptions& faults) {
                b->set_link_faults(to_link_faults(faults));
            },
            py::arg("faults"), ReleaseGil())
        .def(
            "end_link_faults", [](BoundBench& b) { return b->end_link_faults(); }, ReleaseGil())
        .def(
            "link_counts", [](BoundBench& b) { return b->link_counts(); }, ReleaseGil())
        .def(
            "type_on_console",
            [](BoundBench& b, const std::string& line) { b->type_on_console(line); },
            py::arg("line"), ReleaseGil())
        .def(
            "set_name_lie",
            [](BoundBench& b, const NetworkLieOptions& lie) { b->set_name_lie(to_name_lie(lie)); },
            py::arg("lie"), ReleaseGil())
        .def(
            "set_time_lie",
            [](BoundBench& b, const NetworkLieOptions& lie) { b->set_time_lie(to_time_lie(lie)); },
            py::arg("lie"), ReleaseGil())
        .def(
            "board_begins", [](BoundBench& b) { b->board_begins(); }, ReleaseGil())
        .def(
            "board_ends", [](BoundBench& b) { b->board_ends(); }, ReleaseGil())
        .def(
            "wait_target_ready",
            [](BoundBench& b, double timeout_s) {
                waiting([&] { b->wait_target_ready(b.after(timeout_s), interrupted); });
            },
            py::arg("timeout_s"))
        .def(
            "set_line",
            [](BoundBench& b, const std::string& line, bool active) { b->set_line(line, active); },
            py::arg("line"), py::arg("active"), ReleaseGil())
        .def_property_readonly(
            "target_is_running",
            py::cpp_function([](BoundBench& b) { return b->target_is_running(); }, ReleaseGil()))
        .def_property_readonly(
            "target_pid",
            py::cpp_function([](BoundBench& b) { return b->target_pid(); }, ReleaseGil()))
        .def_property_readonly("buttons", [](BoundBench& b) { return b->buttons(); })
        .def_property_readonly("leds", [](BoundBench& b) { return b->leds(); })
        .def(
            "start_press",
            [](BoundBench& b, const std::string& button, double hold_s,
               const std::string& profile) {
                return b->start_press(button, from_seconds(hold_s), profile);
            },
            py::arg("button"), py::kw_only(), py::arg("hold_s") = hold_s_default,
            py::arg("profile") = "ideal", ReleaseGil())
        .def(
            "round_trip", [](BoundBench& b, harness::PressId id) { return b->round_trip(id); },
            py::arg("press_id"), ReleaseGil())
        .def(
            "wait_trip",
            [](BoundBench& b, harness::PressId id, harness::Until until, double timeout_s) {
                return waiting(
                    [&] { return b->wait_trip(id, until, b.after(timeout_s), interrupted); });
            },
            py::arg("press_id"), py::arg("until"), py::arg("timeout_s"))
        .def(
            "release_buttons", [](BoundBench& b) { b->release_buttons(); }, ReleaseGil())
        .def(
            "release_button",
            [](BoundBench& b, const std::string& button) { b->release_button(button); },
            py::arg("button"), ReleaseGil())
        .def(
            "note_fault", [](BoundBench& b, const std::string& name) { b->note_fault(name); },
            py::arg("name"), ReleaseGil())
        .def(
            "led_is_on", [](BoundBench& b, const std::string& led) { return b->led_is_on(led); },
            py::arg("led"), ReleaseGil())
        .def(
            "wait_led",
            [](BoundBench& b, const std::string& led, bool on, double timeout_s) {
                return waiting(
                    [&] { return b->wait_led(led, on, b.after(timeout_s), interrupted); });
            },
            py::arg("led"), py::arg("on"), py::arg("timeout_s"))
        .def(
            "led_window",
            [](BoundBench& b, const std::string& led, rig::TimestampNs from_ns,
               rig::TimestampNs until_ns) { return b->led_window(led, from_ns, until_ns); },
            py::arg("led"), py::arg("from_ns"), py::arg("until_ns"), ReleaseGil())
        .def(
            "measure_loopback",
            [](BoundBench& b, const std::string& button, const std::string& led,
               std::size_t samples, const std::function<void(std::size_t)>& tell) {
                return waiting([&] {
                    return b->measure_loopback(button, led, samples, [&](std::size_t done) {
                        const py::gil_scoped_acquire gil;
                        try {
                            tell(done);
                        } catch (py::error_already_set& error) {
                            error.restore();  // Ctrl-C, most likely: waiting() raises it
                            return true;
                        }
                        return interrupted();
                    });
                });
            },
            py::arg("button"), py::arg("led"), py::arg("samples"), py::arg("tell"))
        .def(
            "read_register",
            [](BoundBench& b, std::uint16_t device, std::uint8_t reg) {
                return b->read_register(device, reg);
            },
            py::arg("device"), py::arg("register"), ReleaseGil())
        .def(
            "write_register",
            [](BoundBench& b, std::uint16_t device, std::uint8_t reg, std::uint16_t value) {
                b->write_register(device, reg, value);
            },
            py::arg("device"), py::arg("register"), py::arg("value"), ReleaseGil())
        .def(
            "clear_registers", [](BoundBench& b) { b->clear_registers(); }, ReleaseGil())
        .def(
            "add_fault",
            [](BoundBench& b, const harness::FaultSpec& fault) { return b->add_fault(fault); },
            py::arg("fault"), ReleaseGil())
        .def(
            "remove_fault",
            [](BoundBench& b, harness::Faults::Id id) { return b->remove_fault(id); },
            py::arg("fault_id"), ReleaseGil())
        .def(
            "step_aside",
            [](BoundBench& b, bool secure) { return b->step_aside(port_kind(secure)); },
            py::kw_only(), py::arg("secure"), ReleaseGil())
        .def(
            "step_back", [](BoundBench& b, bool secure) { b->step_back(port_kind(secure)); },
            py::kw_only(), py::arg("secure"), ReleaseGil())
        .def_property_readonly(
            "connections_open",
            py::cpp_function([](BoundBench& b) { return b->connections_open(); }, ReleaseGil()))
        .def(
            "cursor", [](BoundBench& b) { return b->timeline().end(); }, ReleaseGil())
        .def(
            "events",
            [](BoundBench& b, harness::Cursor cursor, std::size_t events_max) {
                return b->timeline().since(cursor, events_max);
            },
            py::arg("cursor"), py::arg("events_max") = events_at_once_max, ReleaseGil())
        .def("wait_events", &wait_events, py::arg("cursor"), py::arg("timeout_s"),
             py::arg("events_max") = events_at_once_max)
        .def("now_ns", [](BoundBench& b) { return b.now_ns(); })
        .def(
            "test_began", [](BoundBench& b, const std::string& nodeid) { b->test_began(nodeid); },
            py::arg("nodeid"), ReleaseGil())
        .def(
            "test_ended",
            [](BoundBench& b, const std::string& nodeid, const std::string& outcome) {
                b->test_ended(nodeid, outcome);
            },
            py::arg("nodeid"), py::arg("outcome"), ReleaseGil())
        .def(
            "note", [](BoundBench& b, const std::string& text) { b->note(text); }, py::arg("text"),
            ReleaseGil())
        .def(
            "note_error", [](BoundBench& b, const std::string& text) { b->note_error(text); },
            py::arg("text"), ReleaseGil())
        .def(
            "flush_recording",
            [](BoundBench& b, double timeout_s) { return b->flush_recording(b.after(timeout_s)); },
            py::arg("timeout_s"), ReleaseGil())
        .def_property_readonly("rig_errors", [](BoundBench& b) { return b->rig_errors(); });
}

}  // namespace bindings
