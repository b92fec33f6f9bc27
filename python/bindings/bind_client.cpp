#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include "harness/client/client.hpp"
#include "harness/tls/tls_library.hpp"
#include "python/bindings/bindings.hpp"
#include "python/bindings/client_options.hpp"
#include "python/bindings/options.hpp"
#include "rig/base/errors.hpp"

namespace py = pybind11;

namespace bindings {
namespace {

struct ClientReply {
    bool connected = false;
    std::string reply;
    std::string rest;
    std::string failure;
    std::string tls_version;
    std::string cipher;
    rig::TimestampNs sent_ns = 0;
    rig::TimestampNs received_ns = 0;
};

ClientReply exchange(const ClientOptions& options, const std::string& request,
                     const harness::TlsLibrary& library) {
    const rig::SystemClock clock;
    const auto deadline = rig::Deadline::after(clock, from_seconds(options.timeout_s));
    ClientReply result;
    try {
        harness::Client client(library, clock, client_target(options), deadline);
        result.connected = true;
        result.tls_version = client.tls_facts().version;
        result.cipher = client.tls_facts().cipher;
        const auto reply = client.transact(request, deadline);
        result.sent_ns = reply.sent_ns;
        result.received_ns = reply.received_ns;
        result.rest = reply.note;
        if (reply.problem.empty()) {
            result.reply = reply.bytes;
        } else {
            result.failure = reply.problem;
            result.rest = reply.bytes;
        }
    } catch (const harness::NoConnection& error) {
        result.failure = error.what();
    }
    return result;
}

}  // namespace

void add_client(py::module_& m) {
    py::class_<ClientOptions>(m, "ClientOptions")
        .def(py::init<>())
        .def_readwrite("host", &ClientOptions::host)
        .def_readwrite("port", &ClientOptions::port)
        .def_readwrite("secure", &ClientOptions::secure)
        .def_readwrite("ca_file", &ClientOptions::ca_file)
        .def_readwrite("verify", &ClientOptions::verify)
        .def_readwrite("name", &ClientOptions::name)
        .def_readwrite("pin_sha256", &ClientOptions::pin_sha256)
        .def_readwrite("certificate_file", &ClientOptions::certificate_file)
        .def_readwrite("key_file", &ClientOptions::key_file)
        .def_readwrite("timeout_s", &ClientOptions::timeout_s);
    py::class_<ClientReply>(m, "ClientReply")
        .def_readonly("connected", &ClientReply::connected)
        .def_property_readonly("reply", [](const ClientReply& r) { return py::bytes(r.reply); })
        .def_property_readonly("rest", [](const ClientReply& r) { return py::bytes(r.rest); })
        .def_readonly("failure", &ClientReply::failure)
        .def_readonly("tls_version", &ClientReply::tls_version)
        .def_readonly("cipher", &ClientReply::cipher)
        .def_readonly("sent_ns", &ClientReply::sent_ns)
        .def_readonly("received_ns", &ClientReply::received_ns);
    m.def(
        "exchange",
        [m](const ClientOptions& options, const std::string& request) {
            const auto& library = m.attr("_tls_library").cast<const harness::TlsLibrary&>();
            const py::gil_scoped_release release;
            return exchange(options, request, library);
        },
        py::arg("options"), py::arg("request"));
}

}  // namespace bindings
