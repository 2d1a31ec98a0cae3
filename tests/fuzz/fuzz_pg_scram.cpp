// tests/fuzz/fuzz_pg_scram.cpp: any text as SCRAM messages, as a verifier, as base64.
#include <algorithm>
#include <cstdlib>

#include "proto/core/base64.hpp"
#include "proto/pg/scram.hpp"

namespace {

using namespace sluice;

void check(bool holds)
{
    if (!holds)
        std::abort();
}

}  // namespace

// input := binding:u8 client-first 0:u8 client-final
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    if (size == 0)
        return 0;
    const std::string_view text(reinterpret_cast<const char*>(data + 1), size - 1);
    const auto first_size = std::min(text.find('\0'), text.size());
    const auto first = text.substr(0, first_size);
    const auto final = text.substr(std::min(first_size + 1, text.size()));

    static const auto verifier = pg::make_scram_verifier("secret", "0123456789abcdef", 1);
    const bool offered = data[0] & 1;
    const bool plus = offered && (data[0] & 2);
    pg::scram_server server({verifier}, "nonce", {offered ? "certificate" : "", plus});
    if (const auto challenge = server.step(first)) {
        check(challenge->starts_with("r="));
        const auto verdict = server.step(final);
        check(static_cast<bool>(verdict) == server.done());
        check(!server.step(final));
    } else {
        check(!server.step(final));
    }

    if (const auto parsed = pg::parse_scram_verifier(text)) {
        const auto again = pg::parse_scram_verifier(pg::format_scram_verifier(*parsed));
        check(again && again->same_challenge(*parsed) && pg::same_keys(*again, *parsed));
    }
    if (const auto bytes = base64_decode(text))
        check(base64_encode(as_bytes(*bytes)) == text);
    return 0;
}
