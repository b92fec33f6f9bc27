/*
 * wolfSSL for a board of 64 KiB: TLS 1.2 and 1.3 with ECDHE on P-256, AES-GCM, and certificates
 * with ECDSA (P-256) or RSA (2048 bits) keys. Single precision arithmetic in Cortex-M assembler.
 */
#pragma once

#define WOLFSSL_GENERAL_ALIGNMENT 4
#define SINGLE_THREADED
#define NO_FILESYSTEM
#define NO_WRITEV
#define WOLFSSL_NO_SOCK
#define WOLFSSL_USER_IO
#define NO_MAIN_DRIVER
#define WOLFSSL_SMALL_STACK
#define WOLFSSL_IGNORE_FILE_WARN

#ifndef PORT_WITHOUT_TLS13
#define WOLFSSL_TLS13
#define HAVE_HKDF
#define WC_RSA_PSS
#endif
#ifdef PORT_WITHOUT_TLS12
#define WOLFSSL_NO_TLS12
#endif
#ifdef PORT_WITHOUT_TLS_SERVER
#define NO_WOLFSSL_SERVER
#endif
#define NO_OLD_TLS
#define HAVE_TLS_EXTENSIONS
#define HAVE_SUPPORTED_CURVES
#define HAVE_EXTENDED_MASTER
#define HAVE_SERVER_RENEGOTIATION_INFO
#define HAVE_SNI
#define HAVE_MAX_FRAGMENT
#define NO_SESSION_CACHE
#define NO_PSK

#define HAVE_ECC
#define ECC_USER_CURVES /* P-256 alone */
#define ECC_TIMING_RESISTANT
#define WC_RSA_BLINDING
#define TFM_TIMING_RESISTANT
#define WOLFSSL_SP
#define WOLFSSL_SP_SMALL
#define WOLFSSL_HAVE_SP_ECC
#define WOLFSSL_HAVE_SP_RSA
#define WOLFSSL_SP_NO_3072
#define WOLFSSL_SP_MATH
#define WOLFSSL_SP_ASM
#define WOLFSSL_SP_ARM_CORTEX_M_ASM
#define SP_WORD_SIZE 32

#define HAVE_AESGCM
#define GCM_SMALL
#define WOLFSSL_AES_SMALL_TABLES
#define NO_AES_CBC
#define NO_AES_192
#define WOLFSSL_SHA384
#define WOLFSSL_SHA512
#define USE_SLOW_SHA256
#define USE_SLOW_SHA512
#define NO_DH
#define NO_DSA
#define NO_RC4
#define NO_MD4
#define NO_MD5
#define NO_DES3
#define NO_PWDBASED
#define NO_PKCS12
#define NO_PKCS8

#define WOLFSSL_BASE64_DECODE
#define NO_ERROR_STRINGS

/* The seed comes from the rig (entropy.h); the generator is NIST's over SHA-256. */
#define HAVE_HASHDRBG
#define CUSTOM_RAND_GENERATE_SEED tls_generate_seed
#define NO_DEV_RANDOM
int tls_generate_seed(unsigned char* seed, unsigned int size);

/* Certificates are judged by time(), which is the board's clock. */
#define USER_TICKS
