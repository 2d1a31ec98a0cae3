// proto/mysql/ed25519.cpp: Ed25519 with a secret scalar of our own, out of OpenSSL's operations.
//
// With az = SHA512(password), s = clamp(az[0..32)), B the base point and L its order, a signature
// of M is R || S with R = rB, S = r + SHA512(R || A || M) s mod L, A = sB (RFC 8032, 5.1.6).
// All multiplications of points are OpenSSL's, in constant time:
//
// - R: any r does that nobody can guess and that is never used for two messages. An ordinary key
//   whose seed is derived from az and M is made; its signature of M begins with the R of
//   r = SHA512(its prefix || M) mod L.
// - A: X25519 (RFC 7748) clamps like Ed25519 and gives the u of sB; y = (u - 1) / (u + 1) mod p
//   (4.1 there). The sign of x is missing: of the two candidates one makes a valid signature.
#include "proto/mysql/ed25519.hpp"

#include <openssl/bn.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <memory>
#include <span>

namespace sluice::mysql {
namespace {

using half = std::array<unsigned char, 32>;
using whole = std::array<unsigned char, 64>;
using number = std::unique_ptr<BIGNUM, decltype(&BN_clear_free)>;
using key_ptr = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;

const unsigned char* raw(bytes_view bytes) noexcept
{
    return reinterpret_cast<const unsigned char*>(bytes.data());
}

// Wiped when it goes.
struct secret : whole {
    secret() noexcept : whole{} {}
    secret(const secret&) = delete;
    secret& operator=(const secret&) = delete;
    ~secret() { OPENSSL_cleanse(data(), size()); }
    std::span<const unsigned char, 32> low() const { return std::span(*this).first<32>(); }
    std::span<const unsigned char, 32> high() const { return std::span(*this).last<32>(); }
};

using part = std::span<const unsigned char>;

bool sha512(whole& out, part first, part second = {}, part third = {})
{
    const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(),
                                                                          EVP_MD_CTX_free);
    if (!context || EVP_DigestInit_ex(context.get(), EVP_sha512(), nullptr) != 1)
        return false;
    for (const auto piece : {first, second, third}) {
        if (EVP_DigestUpdate(context.get(), piece.data(), piece.size()) != 1)
            return false;
    }
    return EVP_DigestFinal_ex(context.get(), out.data(), nullptr) == 1;
}

number from_little(part bytes)
{
    return {BN_lebin2bn(bytes.data(), static_cast<int>(bytes.size()), nullptr), BN_clear_free};
}

number from_hex(const char* text)
{
    BIGNUM* made = nullptr;
    BN_hex2bn(&made, text);
    return {made, BN_clear_free};
}

key_ptr private_key(int type, part bytes)
{
    return {EVP_PKEY_new_raw_private_key(type, nullptr, bytes.data(), bytes.size()), EVP_PKEY_free};
}

// RFC 8032, 5.1.5: s as a number.
number clamped(std::span<const unsigned char, 32> bytes)
{
    half s;
    std::copy(bytes.begin(), bytes.end(), s.begin());
    s[0] &= 0xf8;
    s[31] &= 0x7f;
    s[31] |= 0x40;
    auto made = from_little(s);
    OPENSSL_cleanse(s.data(), s.size());
    return made;
}

// y of sB, without the sign of x.
bool y_of(half& out, std::span<const unsigned char, 32> s)
{
    const auto key = private_key(EVP_PKEY_X25519, s);
    half u;
    std::size_t size = u.size();
    if (!key || EVP_PKEY_get_raw_public_key(key.get(), u.data(), &size) != 1)
        return false;
    const auto p = from_hex("7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffed");
    const auto above = from_little(u);
    const auto below = from_little(u);
    const std::unique_ptr<BN_CTX, decltype(&BN_CTX_free)> context(BN_CTX_new(), BN_CTX_free);
    const number inverse(BN_new(), BN_clear_free);
    return p && above && below && context && inverse && BN_add_word(below.get(), 1) == 1 &&
           BN_sub_word(above.get(), 1) == 1 &&
           BN_mod_inverse(inverse.get(), below.get(), p.get(), context.get()) &&
           BN_mod_mul(above.get(), above.get(), inverse.get(), p.get(), context.get()) == 1 &&
           BN_bn2lebinpad(above.get(), out.data(), 32) == 32;
}

// r, and R into the signature's first half.
number nonce_for(whole& signature, part prefix, part message)
{
    number none(nullptr, BN_clear_free);
    secret seed;
    secret expanded;
    if (!sha512(seed, prefix, message) || !sha512(expanded, seed.low()))
        return none;
    const auto key = private_key(EVP_PKEY_ED25519, seed.low());
    const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(),
                                                                          EVP_MD_CTX_free);
    std::size_t size = signature.size();
    secret r;
    if (!key || !context ||
        EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, key.get()) != 1 ||
        EVP_DigestSign(context.get(), signature.data(), &size, message.data(), message.size()) !=
            1 ||
        !sha512(r, expanded.high(), message))
        return none;
    return from_little(r);
}

// S = r + SHA512(R || A || M) s mod L into the signature's second half.
bool complete(whole& signature, const BIGNUM& r, const BIGNUM& s, const half& key, part message)
{
    // 2^252 + 27742317777372353535851937790883648493
    const auto order = from_hex("1000000000000000000000000000000014def9dea2f79cd65812631a5cf5d3ed");
    whole hash;
    if (!order || !sha512(hash, part(signature).first(32), key, message))
        return false;
    const auto sum = from_little(hash);
    const std::unique_ptr<BN_CTX, decltype(&BN_CTX_free)> context(BN_CTX_secure_new(), BN_CTX_free);
    return sum && context &&
           BN_mod_mul(sum.get(), sum.get(), &s, order.get(), context.get()) == 1 &&
           BN_mod_add(sum.get(), sum.get(), &r, order.get(), context.get()) == 1 &&
           BN_bn2lebinpad(sum.get(), signature.data() + 32, 32) == 32;
}

bool valid(const whole& signature, const half& key, part message)
{
    const key_ptr checked(
        EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, key.data(), key.size()),
        EVP_PKEY_free);
    const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(),
                                                                          EVP_MD_CTX_free);
    return checked && context &&
           EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, checked.get()) == 1 &&
           EVP_DigestVerify(
               context.get(), signature.data(), signature.size(), message.data(), message.size()) ==
               1;
}

bool sign(whole& signature, half& key, std::string_view password, bytes_view text)
{
    const part message(raw(text), text.size());
    secret az;
    if (!sha512(az, part(raw(as_bytes(password)), password.size())) || !y_of(key, az.low()))
        return false;
    const auto s = clamped(az.low());
    const auto r = nonce_for(signature, az.high(), message);
    if (!s || !r)
        return false;
    for (const unsigned sign_of_x : {0x00u, 0x80u}) {
        key[31] = static_cast<unsigned char>((key[31] & 0x7fu) | sign_of_x);
        if (!complete(signature, *r, *s, key, message))
            return false;
        if (valid(signature, key, message))
            return true;
    }
    return false;
}

}  // namespace

std::optional<ed25519_signature> ed25519_sign(std::string_view password, bytes_view message)
{
    whole signature;
    half key;
    if (!sign(signature, key, password, message))
        return std::nullopt;
    ed25519_signature out;
    std::memcpy(out.data(), signature.data(), out.size());
    return out;
}

std::optional<ed25519_public_key> ed25519_key_of(std::string_view password)
{
    whole signature;
    half key;
    if (!sign(signature, key, password, as_bytes("any")))
        return std::nullopt;
    ed25519_public_key out;
    std::memcpy(out.data(), key.data(), out.size());
    return out;
}

}  // namespace sluice::mysql
