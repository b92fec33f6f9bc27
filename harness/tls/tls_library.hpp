// TlsLibrary keeps wolfSSL started. wolfSSL_Init is counted but not safe when two threads call it
// first, so the program makes one of these before it starts threads (main, or the Python module
// when it is loaded) and hands it to every TlsContext: having one in hand is the proof that the
// library runs. It must outlive every TlsContext and TlsSession. More than one may exist.
#pragma once

namespace harness {

class TlsLibrary {
  public:
    /// Throws rig::RigError when wolfSSL does not start.
    TlsLibrary();
    TlsLibrary(const TlsLibrary&) = delete;
    TlsLibrary& operator=(const TlsLibrary&) = delete;
    ~TlsLibrary();
};

/// Frees what wolfSSL keeps for the calling thread (Debian's build: about 12 MB of curve points
/// and the error queue). Every thread that drove a TlsSession calls it before it ends.
void release_tls_thread_memory();

}  // namespace harness
