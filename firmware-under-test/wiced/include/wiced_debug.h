/*
 * Printing. The arguments stand in double parentheses: WPRINT_APP_INFO(("pressed %d\n", n));
 * What is not enabled does not evaluate its arguments.
 */
#pragma once

#include <stdio.h>

#ifndef WPRINT_DISABLE_APP_INFO
#ifndef WPRINT_ENABLE_APP_INFO
#define WPRINT_ENABLE_APP_INFO
#endif
#endif

#define WPRINT_PRINT_(args) \
    do {                    \
        printf args;        \
    } while (0)
#define WPRINT_NOTHING_(args) \
    do {                      \
    } while (0)

#ifdef WPRINT_ENABLE_APP_INFO
#define WPRINT_APP_INFO(args) WPRINT_PRINT_(args)
#else
#define WPRINT_APP_INFO(args) WPRINT_NOTHING_(args)
#endif
#ifdef WPRINT_ENABLE_APP_DEBUG
#define WPRINT_APP_DEBUG(args) WPRINT_PRINT_(args)
#else
#define WPRINT_APP_DEBUG(args) WPRINT_NOTHING_(args)
#endif
#ifdef WPRINT_ENABLE_APP_ERROR
#define WPRINT_APP_ERROR(args) WPRINT_PRINT_(args)
#else
#define WPRINT_APP_ERROR(args) WPRINT_NOTHING_(args)
#endif
#ifdef WPRINT_ENABLE_LIB_INFO
#define WPRINT_LIB_INFO(args) WPRINT_PRINT_(args)
#else
#define WPRINT_LIB_INFO(args) WPRINT_NOTHING_(args)
#endif
#ifdef WPRINT_ENABLE_LIB_DEBUG
#define WPRINT_LIB_DEBUG(args) WPRINT_PRINT_(args)
#else
#define WPRINT_LIB_DEBUG(args) WPRINT_NOTHING_(args)
#endif
#ifdef WPRINT_ENABLE_LIB_ERROR
#define WPRINT_LIB_ERROR(args) WPRINT_PRINT_(args)
#else
#define WPRINT_LIB_ERROR(args) WPRINT_NOTHING_(args)
#endif
#ifdef WPRINT_ENABLE_NETWORK_INFO
#define WPRINT_NETWORK_INFO(args) WPRINT_PRINT_(args)
#else
#define WPRINT_NETWORK_INFO(args) WPRINT_NOTHING_(args)
#endif
#ifdef WPRINT_ENABLE_SECURITY_INFO
#define WPRINT_SECURITY_INFO(args) WPRINT_PRINT_(args)
#else
#define WPRINT_SECURITY_INFO(args) WPRINT_NOTHING_(args)
#endif
#ifdef WPRINT_ENABLE_PLATFORM_INFO
#define WPRINT_PLATFORM_INFO(args) WPRINT_PRINT_(args)
#else
#define WPRINT_PLATFORM_INFO(args) WPRINT_NOTHING_(args)
#endif
#ifdef WPRINT_ENABLE_WICED_INFO
#define WPRINT_WICED_INFO(args) WPRINT_PRINT_(args)
#else
#define WPRINT_WICED_INFO(args) WPRINT_NOTHING_(args)
#endif
