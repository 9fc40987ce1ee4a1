/* SPDX-License-Identifier: MIT */
#ifndef SF_MINER_MODEL_DESK_H
#define SF_MINER_MODEL_DESK_H

#include "miner/axon.h"
#include "miner/reload.h"

/* Models while the miner runs: downloads in the background, one at a time, and the change from one
 * model to another. Asked from any thread; carried out by the main thread, in model_desk_tick. */
struct model_desk;

/* Starts the download of the configured model when it is missing, the local generator is in the
 * chain and auto_download is on. SF_ENOMEM. The axon has its app, and outlives the desk. */
SF_MUST_USE enum sf_err model_desk_open(struct axon *axon, struct model_desk **out);
/* Cancels what is under way, waits some 20 ms. NULL is fine. */
void model_desk_close(struct model_desk *d);

/* Main thread, many times a second: begins changes, notes how they ended, has the generators looked
 * at when a download has ended. NULL is fine. */
void model_desk_tick(struct model_desk *d, struct reload *r, const struct miner_reload *reload);

/* Begins a download; `quantization` may be NULL. SF_EBUSY: another one is under way. SF_EINVAL: no
 * name. SF_ENOMEM. */
SF_MUST_USE enum sf_err model_desk_pull(struct model_desk *d, const char *name,
                                        const char *quantization, struct sf_errbuf *eb);
/* False: none is under way. */
bool model_desk_cancel(struct model_desk *d);

/* Has the miner change to a model whose file is here: it is loaded beside the one that answers,
 * then takes over; when it does not load, the old one stays. SF_ENOTFOUND: its file is not here;
 * SF_EBUSY: another change is under way. Reads the disk; an "auto" asks the devices. */
SF_MUST_USE enum sf_err model_desk_use(struct model_desk *d, const char *name,
                                       struct sf_errbuf *eb);

/* The last download, {"name","file","done","total","bytes_per_second","state","text"}, and the last
 * change, {"name","state","permille","text"}; JSON null when there was none. Callers own them. */
json_t *model_desk_download(struct model_desk *d);
json_t *model_desk_change(struct model_desk *d);

#endif
