#include <arpa/inet.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include "harness/client/client.hpp"
#include "harness/tls/tls_library.hpp"
#include "python/bindings/bindings.hpp"
#include "python/bindings/options.hpp"
#include "rig/base/errors.hpp"

namespace py = pybind11;

namespace bindings {
namespace {

struct ClientOptions {
    std::string host = "127.0.0.1";
    std::uint16_t port = 0;
    bool secure = false;
    std::string ca_file;
    bool verify = true;
    std::string name;
    std::string pin_sha256;
    std::string certificate_file;
    std::string key_file;
    double timeout_s = 2.0;
};

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

bool is_address(const std::string& host) {
    in6_addr address{};
    return ::inet_pton(AF_INET, host.c_str(), &address) == 1 ||
           ::inet_pton(AF_INET6, host.c_str(), &address) == 1;
}

harness::TlsClientConfig tls_config(const ClientOptions& options) {
    harness::TlsClientConfig config;
    config.ca_file = options.ca_file;
    config.verify_chain = options.verify && options.pin_sha256.empty();
    config.server_name = is_address(options.host) ? options.name : options.host;
    if (config.verify_chain) {
        config.name = options.name.empty() ? options.host : options.name;
    }
    if (!options.pin_sha256.empty()) {
        config.pin = harness::sha256_from_hex(options.pin_sha256);
        if (!config.pin) {
            throw rig::NoBench("a pin is the SHA-256 of the server's public key: 64 hex digits");
        }
    }
    config.certificate_file = options.certificate_file;
    config.key_file = options.key_file;
    return config;
}

ClientReply exchange(const ClientOptions& options, const std::string& request,
                     const harness::TlsLibrary& library) {
    const rig::SystemClock clock;
    const auto deadline = rig::Deadline::after(clock, from_seconds(options.timeout_s));
    ClientReply result;
    try {
        harness::Client client(
            library, clock,
            {.host = options.host,
             .port = options.port,
             .tls = options.secure ? std::optional(tls_config(options)) : std::nullopt},
            deadline);
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
