/* SPDX-License-Identifier: MIT */
#ifndef SF_APP_OWN_ADDRESS_H
#define SF_APP_OWN_ADDRESS_H

#include <stdbool.h>

/* Whether an address ("192.0.2.1") belongs to this machine; the wildcard and all of 127/8 do. True
 * when the machine does not tell. */
bool own_address(const char *ip);

#endif
