#include <pybind11/pybind11.h>

#include <exception>
#include <memory>
#include <system_error>

#include "harness/tls/tls_library.hpp"
#include "python/bindings/bindings.hpp"
#include "rig/base/errors.hpp"

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

py::object make_exception(py::module_& module, const char* name, const char* doc,
                          const py::tuple& bases) {
    const std::string full_name = std::string("wwep_rig._core.") + name;
    py::object type = py::reinterpret_steal<py::object>(
        PyErr_NewExceptionWithDoc(full_name.c_str(), doc, bases.ptr(), nullptr));
    if (!type) {
        throw py::error_already_set();
    }
    module.add_object(name, type);
    return type;
}

/// What C++ throws, by name, as the three ways in which a run can go wrong. The classes live as
/// long as the interpreter: their references are given away.
void add_exceptions(py::module_& module) {
    const py::object any = make_exception(
        module, "WwepRigError", "Base of the three ways in which a run can go wrong.",
        py::make_tuple(py::reinterpret_borrow<py::object>(PyExc_Exception)));
    static PyObject* const target_failed =
        make_exception(
            module, "TargetFailed", "The device under test did not do what it must.",
            py::make_tuple(any, py::reinterpret_borrow<py::object>(PyExc_AssertionError)))
            .release()
            .ptr();
    static PyObject* const rig_error =
        make_exception(module, "RigError",
                       "The rig cannot do its work; nothing is said about the target.",
                       py::make_tuple(any))
            .release()
            .ptr();
    static PyObject* const no_bench =
        make_exception(module, "NoBench", "The bench is missing, busy or wrongly described.",
                       py::make_tuple(any))
            .release()
            .ptr();
    py::register_exception_translator([](std::exception_ptr thrown) {
        try {
            std::rethrow_exception(std::move(thrown));
        } catch (const rig::TargetFailure& error) {
            PyErr_SetString(target_failed, error.what());
        } catch (const rig::NoBench& error) {
            PyErr_SetString(no_bench, error.what());
        } catch (const rig::RigError& error) {
            PyErr_SetString(rig_error, error.what());
        } catch (const std::system_error& error) {
            PyErr_SetString(rig_error, error.what());
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
    bindings::add_exceptions(module);
    bindings::add_events(module);
    bindings::add_lines(module);
    bindings::add_options(module);
    bindings::add_faults(module);
    bindings::add_bench(module);
    bindings::add_recording(module);
    bindings::add_client(module);
    bindings::add_conformance(module);
}
