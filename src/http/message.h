/* SPDX-License-Identifier: MIT */
#ifndef SF_HTTP_MESSAGE_H
#define SF_HTTP_MESSAGE_H

#include "base/str.h"

/* One header line. Names of requests compare without case; names of responses leave as given. */
struct http_header {
    struct sf_str name;
    struct sf_str value;
};

#endif
