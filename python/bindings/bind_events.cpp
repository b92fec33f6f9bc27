#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <nlohmann/json.hpp>

#include "harness/bench/round_trip.hpp"
#include "harness/event/event.hpp"
#include "harness/event/timeline.hpp"
#include "python/bindings/bindings.hpp"

namespace py = pybind11;
using nlohmann::json;

namespace bindings {
namespace {

using namespace harness;

/// Bytes as text for JSON: printable ASCII as it is, the rest as \xNN.
std::string text_of(const std::string& bytes) {
    constexpr const char* digits = "0123456789abcdef";
    std::string text;
    for (const char c : bytes) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte >= 0x20 && byte < 0x7f) {
            text += c;
        } else {
            text += {'\\', 'x', digits[byte / 16], digits[byte % 16]};
        }
    }
    return text;
}

template <class Number>
json number_or_null(const std::optional<Number>& number) {
    return number ? json(*number) : json(nullptr);
}

struct ToJson {
    json operator()(const EdgeSeen& e) const {
        return {{"event", "edge"},
                {"line", e.line},
                {"level", static_cast<int>(e.level)},
                {"source", to_string(e.source)},
                {"seqno", e.seqno}};
    }
    json operator()(const PressAsserted& e) const {
        return {{"event", "press"},       {"id", e.id},
                {"line", e.line},         {"before_ns", e.before_ns},
                {"after_ns", e.after_ns}, {"profile", e.profile}};
    }
    json operator()(const PressReleased& e) const {
        return {{"event", "release"}, {"id", e.id}, {"line", e.line}};
    }
    json operator()(const ConnectionOpened& e) const {
        return {{"event", "opened"},
                {"id", e.id},
                {"peer", e.peer},
                {"local", e.local},
                {"secure", e.secure}};
    }
    json operator()(const HandshakeEnded& e) const {
        return {
            {"event", "handshake"},
            {"id", e.id},
            {"tls_version", e.tls_version},
            {"cipher", e.cipher},
            {"handshake_ns", e.handshake_ns},
            {"offered", e.offered.empty() ? json(nullptr) : json::parse(e.offered, nullptr, false)},
            {"failure", e.failure}};
    }
    json operator()(const FrameReceived& e) const {
        return {{"event", "frame"},
                {"id", e.id},
                {"connection_id", e.connection_id},
                {"stamp", to_string(e.stamp)},
                {"verdict", to_string(e.verdict)},
                {"device", number_or_null(e.device)},
                {"register", number_or_null(e.reg)},
                {"value", number_or_null(e.value)},
                {"raw", text_of(e.raw)},
                {"reason", e.reason}};
    }
    json operator()(const ReplySent& e) const {
        return {{"event", "reply"},
                {"frame_id", e.frame_id},
                {"connection_id", e.connection_id},
                {"reply", text_of(e.reply)}};
    }
    json operator()(const ConnectionClosed& e) const {
        return {{"event", "closed"},
                {"id", e.id},
                {"end_reason", e.end_reason},
                {"ignored_bytes", e.ignored_bytes}};
    }
    json operator()(const ConsoleLine&) const { return {{"event", "console"}}; }
    json operator()(const TargetChanged& e) const {
        return {{"event", "target"}, {"is_running", e.is_running}};
    }
    json operator()(const FaultFired& e) const {
        return {{"event", "fault"}, {"connection_id", e.connection_id}, {"name", e.name}};
    }
    json operator()(const RigNote& e) const {
        return {{"event", "note"}, {"is_error", e.is_error}};
    }
    json operator()(const TestBegan& e) const {
        return {{"event", "test-began"}, {"nodeid", e.nodeid}};
    }
    json operator()(const TestEnded& e) const {
        return {{"event", "test-ended"}, {"nodeid", e.nodeid}, {"outcome", e.outcome}};
    }
};

std::string event_json(const Event& event) {
    json object = std::visit(ToJson(), event);
    object["at_ns"] = at_ns(event);
    object["lane"] = lane(event);
    object["text"] = describe(event);
    return object.dump(-1, ' ', false, json::error_handler_t::replace);
}

void add_values(py::module_& m) {
    py::class_<EdgeSeen>(m, "EdgeSeen")
        .def_readonly("at_ns", &EdgeSeen::at_ns)
        .def_readonly("line", &EdgeSeen::line)
        .def_readonly("level", &EdgeSeen::level)
        .def_readonly("source", &EdgeSeen::source)
        .def_readonly("seqno", &EdgeSeen::seqno);
    py::class_<PressAsserted>(m, "PressAsserted")
        .def_readonly("id", &PressAsserted::id)
        .def_readonly("line", &PressAsserted::line)
        .def_readonly("before_ns", &PressAsserted::before_ns)
        .def_readonly("after_ns", &PressAsserted::after_ns)
        .def_readonly("profile", &PressAsserted::profile);
    py::class_<PressReleased>(m, "PressReleased")
        .def_readonly("id", &PressReleased::id)
        .def_readonly("line", &PressReleased::line)
        .def_readonly("released_ns", &PressReleased::released_ns);
    py::class_<ConnectionOpened>(m, "ConnectionOpened")
        .def_readonly("id", &ConnectionOpened::id)
        .def_readonly("at_ns", &ConnectionOpened::at_ns)
        .def_readonly("peer", &ConnectionOpened::peer)
        .def_readonly("local", &ConnectionOpened::local)
        .def_readonly("secure", &ConnectionOpened::secure);
    py::class_<HandshakeEnded>(m, "HandshakeEnded")
        .def_readonly("id", &HandshakeEnded::id)
        .def_readonly("at_ns", &HandshakeEnded::at_ns)
        .def_readonly("tls_version", &HandshakeEnded::tls_version)
        .def_readonly("cipher", &HandshakeEnded::cipher)
        .def_readonly("handshake_ns", &HandshakeEnded::handshake_ns)
        .def_readonly("offered", &HandshakeEnded::offered)
        .def_readonly("failure", &HandshakeEnded::failure);
    py::class_<FrameReceived>(m, "FrameReceived")
        .def_readonly("id", &FrameReceived::id)
        .def_readonly("connection_id", &FrameReceived::connection_id)
        .def_readonly("received_ns", &FrameReceived::received_ns)
        .def_readonly("stamp", &FrameReceived::stamp)
        .def_readonly("verdict", &FrameReceived::verdict)
        .def_readonly("device", &FrameReceived::device)
        .def_readonly("register", &FrameReceived::reg)
        .def_readonly("value", &FrameReceived::value)
        .def_property_readonly("raw", [](const FrameReceived& f) { return py::bytes(f.raw); })
        .def_readonly("reason", &FrameReceived::reason);
    py::class_<ReplySent>(m, "ReplySent")
        .def_readonly("frame_id", &ReplySent::frame_id)
        .def_readonly("connection_id", &ReplySent::connection_id)
        .def_readonly("replied_ns", &ReplySent::replied_ns)
        .def_property_readonly("reply", [](const ReplySent& r) { return py::bytes(r.reply); });
    py::class_<ConnectionClosed>(m, "ConnectionClosed")
        .def_readonly("id", &ConnectionClosed::id)
        .def_readonly("at_ns", &ConnectionClosed::at_ns)
        .def_readonly("end_reason", &ConnectionClosed::end_reason)
        .def_readonly("ignored_bytes", &ConnectionClosed::ignored_bytes);
    py::class_<ConsoleLine>(m, "ConsoleLine")
        .def_readonly("at_ns", &ConsoleLine::at_ns)
        .def_readonly("text", &ConsoleLine::text);
    py::class_<TargetChanged>(m, "TargetChanged")
        .def_readonly("at_ns", &TargetChanged::at_ns)
        .def_readonly("what", &TargetChanged::what)
        .def_readonly("is_running", &TargetChanged::is_running);
    py::class_<FaultFired>(m, "FaultFired")
        .def_readonly("at_ns", &FaultFired::at_ns)
        .def_readonly("connection_id", &FaultFired::connection_id)
        .def_readonly("name", &FaultFired::name);
    py::class_<RigNote>(m, "RigNote")
        .def_readonly("at_ns", &RigNote::at_ns)
        .def_readonly("what", &RigNote::what)
        .def_readonly("is_error", &RigNote::is_error);
    py::class_<TestBegan>(m, "TestBegan")
        .def_readonly("at_ns", &TestBegan::at_ns)
        .def_readonly("nodeid", &TestBegan::nodeid);
    py::class_<TestEnded>(m, "TestEnded")
        .def_readonly("at_ns", &TestEnded::at_ns)
        .def_readonly("nodeid", &TestEnded::nodeid)
        .def_readonly("outcome", &TestEnded::outcome);
}

/// An event in a class of its own, so that Python gets one object however it was stored.
struct BoundEvent {
    Event event;
};

}  // namespace

void add_events(py::module_& m) {
    py::enum_<rig::Level>(m, "Level").value("low", rig::Level::low).value("high", rig::Level::high);
    py::enum_<rig::EdgeSource>(m, "EdgeSource")
        .value("kernel", rig::EdgeSource::kernel)
        .value("board", rig::EdgeSource::board)
        .value("rig", rig::EdgeSource::rig);
    py::enum_<StampSource>(m, "StampSource")
        .value("kernel", StampSource::kernel)
        .value("kernel_stale", StampSource::kernel_stale)
        .value("read", StampSource::read);
    py::enum_<FrameVerdict>(m, "Verdict")
        .value("read", FrameVerdict::read)
        .value("write", FrameVerdict::write)
        .value("illegal", FrameVerdict::illegal)
        .value("truncated", FrameVerdict::truncated);
    py::enum_<Until>(m, "Until")
        .value("led", Until::led)
        .value("frame", Until::frame)
        .value("reply", Until::reply)
        .value("settled", Until::settled)
        .value("closed", Until::closed);
    add_values(m);

    py::class_<BoundEvent>(m, "Event")
        .def_property_readonly("at_ns", [](const BoundEvent& e) { return at_ns(e.event); })
        .def_property_readonly("lane", [](const BoundEvent& e) { return lane(e.event); })
        .def_property_readonly("text", [](const BoundEvent& e) { return describe(e.event); })
        .def_property_readonly("value", [](const BoundEvent& e) { return py::cast(e.event); })
        .def("to_json", [](const BoundEvent& e) { return event_json(e.event); });
    py::class_<Timeline::Slice>(m, "TimelineSlice")
        .def_property_readonly("events",
                               [](const Timeline::Slice& slice) {
                                   py::list events;
                                   for (const Event& event : slice.events) {
                                       events.append(BoundEvent{event});
                                   }
                                   return events;
                               })
        .def_readonly("next", &Timeline::Slice::next)
        .def_readonly("dropped", &Timeline::Slice::dropped);
    py::class_<ConnectionTrace>(m, "ConnectionTrace")
        .def_readonly("opened", &ConnectionTrace::opened)
        .def_readonly("handshake", &ConnectionTrace::handshake)
        .def_readonly("closed", &ConnectionTrace::closed)
        .def_readonly("frames", &ConnectionTrace::frames)
        .def_readonly("replies", &ConnectionTrace::replies);
    py::class_<RoundTrip>(m, "RoundTrip")
        .def_readonly("press", &RoundTrip::press)
        .def_readonly("released_ns", &RoundTrip::released_ns)
        .def_readonly("led_line", &RoundTrip::led_line)
        .def_readonly("led_edges", &RoundTrip::led_edges)
        .def_readonly("connections", &RoundTrip::connections)
        .def_readonly("console", &RoundTrip::console);
}

}  // namespace bindings
