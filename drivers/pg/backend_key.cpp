// drivers/pg/backend_key.cpp: a stdio stream over libpq's trace.
#include "drivers/pg/backend_key.hpp"

#include <cstdlib>
#include <cstring>
#include <string_view>

namespace sluice::pg {
namespace {

constexpr std::string_view wanted = "BackendKeyData\t";
constexpr std::size_t longest_line = 128;  // only the wanted line has to fit

}  // namespace

backend_key::backend_key()
{
    cookie_io_functions_t functions{};
    functions.write = &backend_key::write;
    sink_.reset(::fopencookie(this, "w", functions));
    if (sink_)
        std::setvbuf(sink_.get(), nullptr, _IOLBF, 256);
}

void backend_key::watch(PGconn& conn)
{
    key_.reset();
    line_.clear();
    if (!sink_)
        return;
    PQtrace(&conn, sink_.get());
    PQsetTraceFlags(&conn, PQTRACE_SUPPRESS_TIMESTAMPS);
}

std::optional<std::uint32_t> backend_key::take(PGconn& conn)
{
    PQuntrace(&conn);  // flushes
    return pid_ == PQbackendPID(&conn) ? key_ : std::nullopt;
}

ssize_t backend_key::write(void* self, const char* text, std::size_t size)
{
    auto& sink = *static_cast<backend_key*>(self);
    for (const char c : std::string_view(text, size)) {
        if (c == '\n')
            sink.line_ended();
        else if (sink.line_.size() < longest_line)
            sink.line_ += c;
    }
    return static_cast<ssize_t>(size);
}

// "B\t12\tBackendKeyData\t 4711 -123456": the sender, the length, the name, the fields as int32.
void backend_key::line_ended()
{
    const auto at = line_.find(wanted);
    if (line_.starts_with("B\t12\t") && at != std::string::npos) {
        char* end = nullptr;
        pid_ = std::strtol(line_.c_str() + at + wanted.size(), &end, 10);
        char* last = nullptr;
        const long secret = std::strtol(end, &last, 10);
        if (*end == ' ' && *last == '\0')
            key_ = static_cast<std::uint32_t>(secret);
    }
    line_.clear();
}

}  // namespace sluice::pg
