/* Start and stop of the SDK. Both init functions may be called again and then do nothing. */
#pragma once

#include "wiced_result.h"

#ifdef __cplusplus
extern "C" {
#endif

wiced_result_t wiced_init(void);
wiced_result_t wiced_deinit(void);
wiced_result_t wiced_core_init(void);
wiced_result_t wiced_core_deinit(void);

#ifdef __cplusplus
}
#endif
