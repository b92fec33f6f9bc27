/*
 * Printing. The arguments stand in double parentheses: WPRINT_APP_INFO(("pressed %d\n", n));
 * What is not enabled does not evaluate its arguments; of all families APP_INFO alone is on unless
 * a build says otherwise (WPRINT_ENABLE_LIB_DEBUG, say).
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

#ifdef WPRINT_ENABLE_WEBSERVER_INFO
#define WPRINT_WEBSERVER_INFO(args) WPRINT_PRINT_(args)
#else
#define WPRINT_WEBSERVER_INFO(args) WPRINT_NOTHING_(args)
#endif
#ifdef WPRINT_ENABLE_WEBSERVER_DEBUG
#define WPRINT_WEBSERVER_DEBUG(args) WPRINT_PRINT_(args)
#else
#define WPRINT_WEBSERVER_DEBUG(args) WPRINT_NOTHING_(args)
#endif
#ifdef WPRINT_ENABLE_WEBSERVER_ERROR
#define WPRINT_WEBSERVER_ERROR(args) WPRINT_PRINT_(args)
#else
#define WPRINT_WEBSERVER_ERROR(args) WPRINT_NOTHING_(args)
#endif

#ifdef WPRINT_ENABLE_NETWORK_INFO
#define WPRINT_NETWORK_INFO(args) WPRINT_PRINT_(args)
#else
#define WPRINT_NETWORK_INFO(args) WPRINT_NOTHING_(args)
#endif
#ifdef WPRINT_ENABLE_NETWORK_DEBUG
#define WPRINT_NETWORK_DEBUG(args) WPRINT_PRINT_(args)
#else
#define WPRINT_NETWORK_DEBUG(args) WPRINT_NOTHING_(args)
#endif
#ifdef WPRINT_ENABLE_NETWORK_ERROR
#define WPRINT_NETWORK_ERROR(args) WPRINT_PRINT_(args)
#else
#define WPRINT_NETWORK_ERROR(args) WPRINT_NOTHING_(args)
#endif

#ifdef WPRINT_ENABLE_RTOS_INFO
#define WPRINT_RTOS_INFO(args) WPRINT_PRINT_(args)
#else
#define WPRINT_RTOS_INFO(args) WPRINT_NOTHING_(args)
#endif
#ifdef WPRINT_ENABLE_RTOS_DEBUG
#define WPRINT_RTOS_DEBUG(args) WPRINT_PRINT_(args)
#else
#define WPRINT_RTOS_DEBUG(args) WPRINT_NOTHING_(args)
#endif
#ifdef WPRINT_ENABLE_RTOS_ERROR
#define WPRINT_RTOS_ERROR(args) WPRINT_PRINT_(args)
#else
#define WPRINT_RTOS_ERROR(args) WPRINT_NOTHING_(args)
#endif

#ifdef WPRINT_ENABLE_SECURITY_INFO
#define WPRINT_SECURITY_INFO(args) WPRINT_PRINT_(args)
#else
#define WPRINT_SECURITY_INFO(args) WPRINT_NOTHING_(args)
#endif
#ifdef WPRINT_ENABLE_SECURITY_DEBUG
#define WPRINT_SECURITY_DEBUG(args) WPRINT_PRINT_(args)
#else
#define WPRINT_SECURITY_DEBUG(args) WPRINT_NOTHING_(args)
#endif
#ifdef WPRINT_ENABLE_SECURITY_ERROR
#define WPRINT_SECURITY_ERROR(args) WPRINT_PRINT_(args)
#else
#define WPRINT_SECURITY_ERROR(args) WPRINT_NOTHING_(args)
#endif

#ifdef WPRINT_ENABLE_PLATFORM_INFO
#define WPRINT_PLATFORM_INFO(args) WPRINT_PRINT_(args)
#else
#define WPRINT_PLATFORM_INFO(args) WPRINT_NOTHING_(args)
#endif
#ifdef WPRINT_ENABLE_PLATFORM_DEBUG
#define WPRINT_PLATFORM_DEBUG(args) WPRINT_PRINT_(args)
#else
#define WPRINT_PLATFORM_DEBUG(args) WPRINT_NOTHING_(args)
#endif
#ifdef WPRINT_ENABLE_PLATFORM_ERROR
#define WPRINT_PLATFORM_ERROR(args) WPRINT_PRINT_(args)
#else
#define WPRINT_PLATFORM_ERROR(args) WPRINT_NOTHING_(args)
#endif

#ifdef WPRINT_ENABLE_WICED_INFO
#define WPRINT_WICED_INFO(args) WPRINT_PRINT_(args)
#else
#define WPRINT_WICED_INFO(args) WPRINT_NOTHING_(args)
#endif
#ifdef WPRINT_ENABLE_WICED_DEBUG
#define WPRINT_WICED_DEBUG(args) WPRINT_PRINT_(args)
#else
#define WPRINT_WICED_DEBUG(args) WPRINT_NOTHING_(args)
#endif
#ifdef WPRINT_ENABLE_WICED_ERROR
#define WPRINT_WICED_ERROR(args) WPRINT_PRINT_(args)
#else
#define WPRINT_WICED_ERROR(args) WPRINT_NOTHING_(args)
#endif

#ifdef WPRINT_ENABLE_WWD_INFO
#define WPRINT_WWD_INFO(args) WPRINT_PRINT_(args)
#else
#define WPRINT_WWD_INFO(args) WPRINT_NOTHING_(args)
#endif
#ifdef WPRINT_ENABLE_WWD_DEBUG
#define WPRINT_WWD_DEBUG(args) WPRINT_PRINT_(args)
#else
#define WPRINT_WWD_DEBUG(args) WPRINT_NOTHING_(args)
#endif
#ifdef WPRINT_ENABLE_WWD_ERROR
#define WPRINT_WWD_ERROR(args) WPRINT_PRINT_(args)
#else
#define WPRINT_WWD_ERROR(args) WPRINT_NOTHING_(args)
#endif
