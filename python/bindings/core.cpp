#include <pybind11/pybind11.h>

#include <exception>
#include <memory>
#include <string_view>
#include <system_error>
#include <utility>

#include "harness/tls/tls_library.hpp"
#include "python/bindings/bindings.hpp"
#include "rig/base/errors.hpp"
#include "rig/base/remedy.hpp"

namespace py = pybind11;

namespace bindings {

bool interrupted() {
    const py::gil_scoped_acquire gil;
    return PyErr_CheckSignals() != 0;
}

void rethrow_interruption() {
    if (PyErr_Occurred() != nullptr) {
        throw py::error_already_set();
    }
}

namespace {

/// One of the package's classes, which live as long as the interpreter: the reference is given
/// away.
PyObject* exception_class(const char* name) {
    return py::object(py::module_::import("wwep_rig.errors").attr(name)).release().ptr();
}

/// What a system says may be in any encoding.
py::str to_text(std::string_view text) {
    return py::reinterpret_steal<py::str>(
        PyUnicode_DecodeUTF8(text.data(), static_cast<py::ssize_t>(text.size()), "replace"));
}

void raise(PyObject* type, const std::exception& error) {
    const rig::ErrorParts parts = rig::parts_of(error);
    PyErr_SetObject(type, py::handle(type)(to_text(parts.trouble), to_text(parts.remedy)).ptr());
}

/// What C++ throws becomes one of the three ways in which a run can go wrong.
void add_exceptions() {
    static PyObject* const target_failed = exception_class("TargetFailed");
    static PyObject* const rig_error = exception_class("RigError");
    static PyObject* const no_bench = exception_class("NoBench");
    py::register_exception_translator([](std::exception_ptr thrown) {
        try {
            std::rethrow_exception(std::move(thrown));
        } catch (const rig::TargetFailure& error) {
            raise(target_failed, error);
        } catch (const rig::NoBench& error) {
            raise(no_bench, error);
        } catch (const rig::RigError& error) {
            raise(rig_error, error);
        } catch (const std::system_error& error) {
            raise(rig_error, error);
        }
    });
}

}  // namespace
}  // namespace bindings

PYBIND11_MODULE(_core, module) {
    module.doc() = "The C++ side of the rig. Private to the package.";
    module.attr("__version__") = WWEP_RIG_VERSION;
    // wolfSSL must be started before there are threads, so the module does it when it is loaded.
    py::class_<harness::TlsLibrary>(module, "_TlsLibrary");
    py::object library = py::cast(std::make_unique<harness::TlsLibrary>());
    library.inc_ref();  // for good: a bench may still be open when the interpreter ends
    module.add_object("_tls_library", library);
    bindings::add_exceptions();
    bindings::add_events(module);
    bindings::add_lines(module);
    bindings::add_options(module);
    bindings::add_faults(module);
    bindings::add_bench(module);
    bindings::add_recording(module);
    bindings::add_client(module);
    bindings::add_conformance(module);
}
