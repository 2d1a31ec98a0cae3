// proto/pg/scram.cpp: the SCRAM-SHA-256 exchange as a server.
#include "proto/pg/scram.hpp"

#include <openssl/crypto.h>

#include <algorithm>

#include "proto/core/base64.hpp"
#include "proto/core/errc.hpp"
#include "proto/pg/sha256.hpp"

namespace sluice::pg {

namespace {

constexpr std::string_view end_point_header = "p=tls-server-end-point,,";

// The value of `name=value` at the front of a comma-separated list, consumed with its comma.
std::optional<std::string_view> take_attribute(std::string_view& list, char name) noexcept
{
    if (list.size() < 2 || list[0] != name || list[1] != '=')
        return std::nullopt;
    const auto end = std::min(list.find(','), list.size());
    const auto value = list.substr(2, end - 2);
    list.remove_prefix(std::min(end + 1, list.size()));
    return value;
}

// RFC 5802 §7: printable ASCII without the comma.
bool is_nonce(std::string_view text) noexcept
{
    return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
        return c >= 0x21 && c <= 0x7e && c != ',';
    });
}

}  // namespace

scram_server::scram_server(std::vector<scram_verifier> verifiers,
                           std::string nonce,
                           scram_binding binding)
    : verifiers_(std::move(verifiers)), nonce_(std::move(nonce)), binding_(std::move(binding))
{
}

failure scram_server::malformed(std::string_view problem) noexcept
{
    problem_ = problem;
    return fail(errc::bad_message);
}

result<std::string> scram_server::step(std::string_view message)
{
    const auto now = stage_;
    stage_ = stage::failed;
    if (message.size() > scram_message_max)
        return malformed("The message is too long.");
    if (message.find('\0') != std::string_view::npos)
        return malformed("The message contains a zero byte.");
    switch (now) {
        case stage::first: {
            auto answer = read_first(message);
            if (answer)
                stage_ = stage::final;
            return answer;
        }
        case stage::final: {
            auto answer = read_final(message);
            if (answer)
                stage_ = stage::done;
            return answer;
        }
        case stage::done:
        case stage::failed:
            break;
    }
    return malformed("The exchange is over.");
}

std::error_code scram_server::read_gs2_header(std::string_view& message)
{
    const auto refuse = [this](std::string_view problem) { return malformed(problem).code; };
    const char flag = message.empty() ? '\0' : message.front();
    if (flag == 'p') {
        if (!binding_.plus)
            return refuse("Channel binding is used without SCRAM-SHA-256-PLUS.");
        if (!message.starts_with(end_point_header))
            return refuse("Only channel binding of type tls-server-end-point is supported.");
        gs2_header_ = end_point_header;
    } else if (flag == 'n' || flag == 'y') {
        if (binding_.plus)
            return refuse("SCRAM-SHA-256-PLUS was selected without channel binding.");
        // "y": the client can bind and believes that the server cannot. Somebody took
        // SCRAM-SHA-256-PLUS out of the list that we sent.
        if (flag == 'y' && !binding_.end_point.empty())
            return refuse("The client was not told that the server supports channel binding.");
        if (message.size() < 3 || message[1] != ',')
            return refuse("A comma is missing behind the channel binding flag.");
        if (message[2] != ',')
            return refuse("Authorization identities are not supported.");
        gs2_header_ = message.substr(0, 3);
    } else {
        return refuse("The channel binding flag is not one of n, y, p.");
    }
    message.remove_prefix(gs2_header_.size());
    return {};
}

result<std::string> scram_server::read_first(std::string_view message)
{
    if (const auto ec = read_gs2_header(message))
        return fail(ec);
    client_first_bare_ = message;
    if (message.starts_with("m="))
        return malformed("The client requires an extension that is not supported.");
    // The name is not looked at: the startup packet has given it, and libpq sends none.
    if (!take_attribute(message, 'n'))
        return malformed("The user name attribute (n=) is missing.");
    const auto client_nonce = take_attribute(message, 'r');
    if (!client_nonce || !is_nonce(*client_nonce))
        return malformed("The nonce (r=) is missing or not printable.");

    nonce_.insert(0, *client_nonce);
    server_first_ = "r=" + nonce_ + ",s=" + base64_encode(as_bytes(verifiers_.front().salt)) +
                    ",i=" + std::to_string(verifiers_.front().iterations);
    return server_first_;
}

result<std::string> scram_server::read_final(std::string_view message)
{
    const auto proof_at = message.rfind(",p=");
    if (proof_at == std::string_view::npos)
        return malformed("The proof (p=) is missing.");
    const auto without_proof = message.substr(0, proof_at);

    auto rest = without_proof;
    const auto bound = take_attribute(rest, 'c');
    const auto expected = gs2_header_ + (binding_.plus ? binding_.end_point : "");
    if (!bound || *bound != base64_encode(as_bytes(expected)))
        return malformed("The channel binding data (c=) is not what the exchange began with.");
    const auto nonce = take_attribute(rest, 'r');
    if (!nonce || *nonce != nonce_)
        return malformed("The nonce (r=) is not the one of this exchange.");
    const auto proof = base64_decode(message.substr(proof_at + 3));
    if (!proof || proof->size() != scram_key{}.size())
        return malformed("The proof (p=) is not base64 of 32 bytes.");

    const auto auth_message =
        client_first_bare_ + ',' + server_first_ + ',' + std::string(without_proof);
    const auto* match = find_match(*proof, auth_message);
    if (!match)
        return fail(errc::authentication_failed);
    return "v=" + base64_encode(hmac_sha256(match->server_key, as_bytes(auth_message)));
}

const scram_verifier* scram_server::find_match(std::string_view proof,
                                               std::string_view auth_message) const
{
    const scram_verifier* match = nullptr;
    for (const auto& verifier : verifiers_) {
        if (!verifier.same_challenge(verifiers_.front()))
            continue;
        // ClientKey = ClientProof xor HMAC(StoredKey, AuthMessage); its hash must be StoredKey.
        auto client_key = hmac_sha256(verifier.stored_key, as_bytes(auth_message));
        for (std::size_t i = 0; i < client_key.size(); ++i)
            client_key[i] ^= static_cast<std::byte>(proof[i]);
        const auto hashed = sha256(client_key);
        if (CRYPTO_memcmp(hashed.data(), verifier.stored_key.data(), hashed.size()) == 0)
            match = &verifier;
    }
    return match;
}

}  // namespace sluice::pg
