#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <memory>

#include "harness/recorder/recording_reader.hpp"
#include "python/bindings/bindings.hpp"

namespace py = pybind11;

namespace bindings {

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
        .def_readonly("handshake_ns", &PressLatency::handshake_ns);
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
            "latencies", [](const RecordingReader& reader) { return reader.latencies(); },
            ReleaseGil())
        .def("timeline", &RecordingReader::timeline, py::arg("limit") = 0, ReleaseGil())
        .def("counts", &RecordingReader::counts, ReleaseGil());
}

}  // namespace bindings
