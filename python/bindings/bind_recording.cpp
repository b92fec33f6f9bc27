#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "harness/recorder/recording_reader.hpp"
#include "python/bindings/bindings.hpp"

namespace py = pybind11;

namespace bindings {

namespace {

/// By the button's name: its LED, and whether its frames are secure.
using Pairings = std::map<std::string, std::pair<std::string, bool>>;

std::vector<harness::ButtonPairing> to_harness(const Pairings& pairings) {
    std::vector<harness::ButtonPairing> result;
    for (const auto& [button, rest] : pairings) {
        result.push_back({button, rest.first, rest.second});
    }
    return result;
}

py::object to_python(const harness::RecordedValue& value) {
    if (const auto* number = std::get_if<std::int64_t>(&value)) {
        return py::int_(*number);
    }
    if (const auto* text = std::get_if<std::string>(&value)) {
        return py::str(*text);
    }
    if (const auto* blob = std::get_if<harness::RecordedBytes>(&value)) {
        return py::bytes(blob->bytes);
    }
    return py::none();
}

py::dict next_row(harness::RecordedRows& rows) {
    const auto row = rows.next();
    if (!row) {
        throw py::stop_iteration();
    }
    py::dict result;
    for (std::size_t column = 0; column < row->size(); ++column) {
        result[py::str(rows.columns()[column])] = to_python((*row)[column]);
    }
    return result;
}

}  // namespace

void add_recording(py::module_& m) {
    using namespace harness;
    using ReleaseGil = py::call_guard<py::gil_scoped_release>;

    py::class_<PressLatency>(m, "PressLatency")
        .def_readonly("press_id", &PressLatency::press_id)
        .def_readonly("button", &PressLatency::button)
        .def_readonly("before_ns", &PressLatency::before_ns)
        .def_readonly("press_to_led_ns", &PressLatency::press_to_led_ns)
        .def_readonly("press_to_frame_ns", &PressLatency::press_to_frame_ns)
        .def_readonly("frame_to_reply_ns", &PressLatency::frame_to_reply_ns)
        .def_readonly("handshake_ns", &PressLatency::handshake_ns)
        .def_readonly("frame_id", &PressLatency::frame_id);
    py::class_<TimelineRow>(m, "TimelineRow")
        .def_readonly("at_ns", &TimelineRow::at_ns)
        .def_readonly("lane", &TimelineRow::lane)
        .def_readonly("what", &TimelineRow::what);
    py::class_<RecordingReader>(m, "RecordingReader")
        .def(py::init(
                 [](const std::string& path) { return std::make_unique<RecordingReader>(path); }),
             py::arg("path"), ReleaseGil())
        .def("run_json", &RecordingReader::run_json, ReleaseGil())
        .def(
            "latencies",
            [](const RecordingReader& reader, const std::optional<Pairings>& pairings,
               rig::TimestampNs from_ns) {
                return pairings ? reader.latencies(to_harness(*pairings), from_ns)
                                : reader.latencies(from_ns);
            },
            py::arg("pairings") = py::none(),
            py::arg("from_ns") = std::numeric_limits<rig::TimestampNs>::min(), ReleaseGil())
        .def("timeline", &RecordingReader::timeline, py::arg("limit") = 0,
             py::arg("from_ns") = std::numeric_limits<rig::TimestampNs>::min(),
             py::arg("until_ns") = std::numeric_limits<rig::TimestampNs>::max(), ReleaseGil())
        .def("newest_ns", &RecordingReader::newest_ns, ReleaseGil())
        .def("counts", &RecordingReader::counts, ReleaseGil())
        .def("rows", &RecordingReader::rows, py::arg("table"), py::keep_alive<0, 1>());
    py::class_<RecordedRows>(m, "RecordedRows")
        .def_property_readonly("columns", &RecordedRows::columns)
        .def("__iter__", [](py::object self) { return self; })
        .def("__next__", &next_row);
}

}  // namespace bindings
