#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "harness/client/conformance.hpp"
#include "harness/tls/tls_library.hpp"
#include "python/bindings/bindings.hpp"
#include "python/bindings/client_options.hpp"
#include "python/bindings/options.hpp"
#include "rig/base/clock.hpp"

namespace py = pybind11;

namespace bindings {
namespace {

using harness::Admission;
using harness::Transactions;

struct ConformOptions {
    ClientOptions server;
    std::optional<bool> one_at_a_time;
    std::optional<bool> keep_open;
    double patience_s = 5.0;
    std::optional<double> idle_timeout_s;
    std::uint32_t seed = 1;
};

std::chrono::milliseconds milliseconds(double seconds) {
    return std::chrono::duration_cast<std::chrono::milliseconds>(from_seconds(seconds));
}

harness::ConformSubject subject_of(const ConformOptions& options) {
    harness::ConformSubject subject;
    subject.target = client_target(options.server);
    if (options.one_at_a_time)
        subject.admission = *options.one_at_a_time ? Admission::one_at_a_time : Admission::many;
    if (options.keep_open)
        subject.transactions = *options.keep_open ? Transactions::many : Transactions::one;
    subject.patience = milliseconds(options.patience_s);
    if (options.idle_timeout_s)
        subject.idle_timeout = milliseconds(*options.idle_timeout_s);
    subject.seed = options.seed;
    subject.is_interrupted = interrupted;
    return subject;
}

/// The suite with the clock that it measures by.
class Suite {
  public:
    Suite(const harness::TlsLibrary& library, const ConformOptions& options)
        : suite_(library, clock_, subject_of(options)) {}

    /// Why there is nobody to test; empty: there is somebody.
    std::string probe() {
        std::string failure;
        without_gil([&] {
            try {
                suite_.probe();
            } catch (const harness::NoConnection& error) {
                failure = error.what();
            }
        });
        return failure;
    }
    harness::ConformResult run(const std::string& name) {
        harness::ConformResult result;
        without_gil([&] { result = suite_.run(name); });
        return result;
    }
    [[nodiscard]] bool one_at_a_time() const {
        return suite_.traits().admission == Admission::one_at_a_time;
    }
    [[nodiscard]] bool keeps_open() const {
        return suite_.traits().transactions == Transactions::many;
    }
    [[nodiscard]] std::string tls_version() const { return suite_.traits().tls_version; }
    [[nodiscard]] std::string cipher() const { return suite_.traits().cipher; }

  private:
    template <class Work>
    static void without_gil(Work&& work) {
        try {
            const py::gil_scoped_release release;
            work();
        } catch (const harness::ConformInterrupted&) {
            rethrow_interruption();
            throw;
        }
    }

    rig::SystemClock clock_;
    harness::Conformance suite_;
};

void add_values(py::module_& m) {
    py::class_<harness::ConformCase>(m, "ConformCase")
        .def_property_readonly("name", [](const harness::ConformCase& c) { return c.name; })
        .def_property_readonly("sentence", [](const harness::ConformCase& c) { return c.sentence; })
        .def_property_readonly("rule", [](const harness::ConformCase& c) { return c.rule; });
    py::class_<harness::ConformStep>(m, "ConformStep")
        .def_property_readonly("kind",
                               [](const harness::ConformStep& s) { return to_string(s.kind); })
        .def_readonly("connection", &harness::ConformStep::connection)
        .def_readonly("at_ns", &harness::ConformStep::at_ns)
        .def_property_readonly("bytes",
                               [](const harness::ConformStep& s) { return py::bytes(s.bytes); })
        .def_readonly("bytes_count", &harness::ConformStep::bytes_count)
        .def_readonly("text", &harness::ConformStep::text);
    py::class_<harness::ConformResult>(m, "ConformResult")
        .def_readonly("name", &harness::ConformResult::name)
        .def_property_readonly("outcome",
                               [](const harness::ConformResult& r) { return to_string(r.outcome); })
        .def_readonly("reason", &harness::ConformResult::reason)
        .def_readonly("findings", &harness::ConformResult::findings)
        .def_readonly("steps", &harness::ConformResult::steps)
        .def_readonly("exchanges", &harness::ConformResult::exchanges)
        .def_readonly("took_ns", &harness::ConformResult::took_ns);
}

}  // namespace

void add_conformance(py::module_& m) {
    add_values(m);
    py::class_<ConformOptions>(m, "ConformOptions")
        .def(py::init<>())
        .def_readwrite("server", &ConformOptions::server)
        .def_readwrite("one_at_a_time", &ConformOptions::one_at_a_time)
        .def_readwrite("keep_open", &ConformOptions::keep_open)
        .def_readwrite("patience_s", &ConformOptions::patience_s)
        .def_readwrite("idle_timeout_s", &ConformOptions::idle_timeout_s)
        .def_readwrite("seed", &ConformOptions::seed);
    py::class_<Suite>(m, "Conformance")
        .def(py::init([m](const ConformOptions& options) {
                 return std::make_unique<Suite>(
                     m.attr("_tls_library").cast<const harness::TlsLibrary&>(), options);
             }),
             py::arg("options"))
        .def_static("cases",
                    [] {
                        const auto cases = harness::Conformance::cases();
                        return std::vector<harness::ConformCase>(cases.begin(), cases.end());
                    })
        .def("probe", &Suite::probe)
        .def("run", &Suite::run, py::arg("name"))
        .def_property_readonly("one_at_a_time", &Suite::one_at_a_time)
        .def_property_readonly("keeps_open", &Suite::keeps_open)
        .def_property_readonly("tls_version", &Suite::tls_version)
        .def_property_readonly("cipher", &Suite::cipher);
}

}  // namespace bindings
