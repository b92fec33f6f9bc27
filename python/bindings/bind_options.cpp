#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include "python/bindings/bindings.hpp"
#include "python/bindings/options.hpp"
#include "rig/line/tried_lines.hpp"

namespace py = pybind11;

namespace bindings {

void add_options(py::module_& m) {
    py::class_<rig::BenchFile>(m, "BenchFile")
        .def_static("load", &rig::load_bench_file, py::arg("path"))
        .def_static("parse", &rig::parse_bench_file, py::arg("text"), py::arg("name"))
        .def_static("sim", &rig::built_in_sim_bench)
        .def_static("emulator", &rig::built_in_emulator_bench)
        .def_static(
            "template",
            [](const std::string& kind, const std::string& name) {
                const auto known = rig::bench_kind(kind);
                if (!known) {
                    throw rig::NoBench("no kind of bench is called \"" + kind +
                                       "\"; there are: sim, kernel, emulator, board");
                }
                return rig::template_bench_file(*known, name);
            },
            py::arg("kind"), py::arg("name") = "bench-1")
        .def_readonly("name", &rig::BenchFile::name)
        .def_property_readonly("kind",
                               [](const rig::BenchFile& file) { return rig::to_string(file.kind); })
        .def_property_readonly("device_id", &rig::BenchFile::device_id)
        .def("to_json", [](const rig::BenchFile& file) { return rig::to_json(file); });

    py::class_<rig::TriedLine>(m, "TriedLine")
        .def_readonly("name", &rig::TriedLine::name)
        .def_readonly("trouble", &rig::TriedLine::trouble)
        .def_readonly("remedy", &rig::TriedLine::remedy);
    m.def(
        "release_lines",
        [](const rig::BenchFile& file) {
            return rig::release_lines(file.lines, {.consumer = "wwep-rig release"});
        },
        py::arg("bench_file"), py::call_guard<py::gil_scoped_release>());
    m.def("keeps_outputs", [] { return rig::keeps_outputs(); });
    m.def(
        "probe_lines",
        [](const rig::BenchFile& file) {
            const rig::SystemClock clock;
            return rig::probe_lines(file.lines, clock, {.consumer = "wwep-rig doctor"});
        },
        py::arg("bench_file"), py::call_guard<py::gil_scoped_release>());

    py::class_<ServerOptions>(m, "ServerOptions")
        .def(py::init<>())
        .def_readwrite("addresses", &ServerOptions::addresses)
        .def_readwrite("plain_port", &ServerOptions::plain_port)
        .def_readwrite("tls_port", &ServerOptions::tls_port)
        .def_readwrite("certificate_file", &ServerOptions::certificate_file)
        .def_readwrite("key_file", &ServerOptions::key_file)
        .def_readwrite("client_ca_file", &ServerOptions::client_ca_file)
        .def_readwrite("client_auth", &ServerOptions::client_auth)
        .def_readwrite("tls_profile", &ServerOptions::tls_profile)
        .def_readwrite("tls_min", &ServerOptions::tls_min)
        .def_readwrite("tls_max", &ServerOptions::tls_max)
        .def_readwrite("key_log_file", &ServerOptions::key_log_file)
        .def_readwrite("keep_open", &ServerOptions::keep_open)
        .def_readwrite("registers_file", &ServerOptions::registers_file)
        .def_readwrite("frame_timeout_s", &ServerOptions::frame_timeout_s)
        .def_readwrite("idle_timeout_s", &ServerOptions::idle_timeout_s)
        .def_readwrite("handshake_timeout_s", &ServerOptions::handshake_timeout_s)
        .def_readwrite("connections_max", &ServerOptions::connections_max)
        .def_readwrite("certificates", &ServerOptions::certificates);

    py::class_<TargetOptions>(m, "TargetOptions")
        .def(py::init<>())
        .def_readwrite("program", &TargetOptions::program)
        .def_readwrite("arguments", &TargetOptions::arguments)
        .def_readwrite("environment", &TargetOptions::environment)
        .def_readwrite("ready_text", &TargetOptions::ready_text);

    py::class_<EmulatorOptions>(m, "EmulatorOptions")
        .def(py::init<>())
        .def_readwrite("helper", &EmulatorOptions::helper)
        .def_readwrite("emulator", &EmulatorOptions::emulator)
        .def_readwrite("folder", &EmulatorOptions::folder)
        .def_readwrite("image", &EmulatorOptions::image)
        .def_readwrite("mac", &EmulatorOptions::mac)
        .def_readwrite("loaded", &EmulatorOptions::loaded)
        .def_readwrite("forwarded", &EmulatorOptions::forwarded)
        .def_readwrite("at_mcu_speed", &EmulatorOptions::at_mcu_speed)
        .def_readwrite("ready_text", &EmulatorOptions::ready_text)
        .def_readwrite("names", &EmulatorOptions::names);

    py::class_<NetworkLieOptions>(m, "NetworkLie")
        .def(py::init<>())
        .def_readwrite("kind", &NetworkLieOptions::kind)
        .def_readwrite("address", &NetworkLieOptions::address)
        .def_readwrite("late_s", &NetworkLieOptions::late_s)
        .def_readwrite("ahead_s", &NetworkLieOptions::ahead_s);

    py::class_<LinkFaultOptions>(m, "LinkFaults")
        .def(py::init<>())
        .def_readwrite("loss", &LinkFaultOptions::loss)
        .def_readwrite("duplicate", &LinkFaultOptions::duplicate)
        .def_readwrite("reorder", &LinkFaultOptions::reorder)
        .def_readwrite("delay_s", &LinkFaultOptions::delay_s)
        .def_readwrite("seed", &LinkFaultOptions::seed);

    py::class_<rig::LinkCounts>(m, "LinkCounts")
        .def_readonly("frames", &rig::LinkCounts::frames)
        .def_readonly("lost", &rig::LinkCounts::lost)
        .def_readonly("duplicated", &rig::LinkCounts::duplicated)
        .def_readonly("reordered", &rig::LinkCounts::reordered)
        .def_readonly("delayed", &rig::LinkCounts::delayed);

    py::class_<harness::LentPort>(m, "LentPort")
        .def_readonly("server", &harness::LentPort::server)
        .def_readonly("socket", &harness::LentPort::socket);

    m.def(
        "try_enclosure",
        [](const std::string& helper) {
            const rig::SystemClock clock;
            const rig::Enclosure enclosure(helper, harness::emulated_server_address, {}, clock);
        },
        py::arg("helper"), py::call_guard<py::gil_scoped_release>());

    py::class_<RunOptions>(m, "RunFacts")
        .def(py::init<>())
        .def_readwrite("command", &RunOptions::command)
        .def_readwrite("host", &RunOptions::host)
        .def_readwrite("bench", &RunOptions::bench)
        .def_readwrite("firmware", &RunOptions::firmware)
        .def_readwrite("facts_json", &RunOptions::facts_json);

    py::class_<BenchOptions>(m, "BenchOptions")
        .def(py::init<>())
        .def_readwrite("bench_file", &BenchOptions::bench_file)
        .def_readwrite("server", &BenchOptions::server)
        .def_readwrite("target", &BenchOptions::target)
        .def_readwrite("emulator", &BenchOptions::emulator)
        .def_readwrite("recording_path", &BenchOptions::recording_path)
        .def_readwrite("overwrite_recording", &BenchOptions::overwrite_recording)
        .def_readwrite("go_on_with_recording", &BenchOptions::go_on_with_recording)
        .def_readwrite("run", &BenchOptions::run);
}

}  // namespace bindings
