/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * VFS module: queries through io_uring, samples and warnings for a share
 *
 * While a client has a tree connect to a share with this module, the share's
 * "smbd uring sockopt" decides how the queries of its connections are answered.
 * The module then watches all channels of the client, with the share's
 * parameters.  It hooks connect and disconnect only, and no file operation.
 *
 * A process of smbd serves one client, so the state of the client is static
 * here.
 */

#include "includes.h"
#include "smbd/smbd.h"
#include "smbd/globals.h"
#include "smbd/smbd_uring.h"
#include "lib/tsocket/tsocket.h"
#include "lib/tevent_uring/include/uring_sockopt.h"
#include "lib/tevent_uring/transport/watch.h"

#undef DBGC_CLASS
#define DBGC_CLASS DBGC_VFS

/* A watched channel; freed with its fde, before the socket is closed. */
struct uring_sockopt_channel {
	struct uring_sockopt_channel *prev, *next;
	const struct smbXsrv_connection *xconn;
};

struct uring_sockopt_share {
	struct connection_struct *conn;
	enum smbd_uring_sockopt mode;
	bool said[URING_WATCH_PARAMETERS];
};

static struct uring_watch *uring_sockopt_watch;
static struct uring_sockopt_channel *uring_sockopt_channels;

static void uring_sockopt_log(const char *line)
{
	DBG_ERR("%s\n", line);
}

static int uring_sockopt_channel_destructor(
	struct uring_sockopt_channel *channel)
{
	DLIST_REMOVE(uring_sockopt_channels, channel);
	return 0;
}

static void uring_sockopt_add_channel(struct smbXsrv_connection *xconn)
{
	struct uring_sockopt_channel *channel = NULL;
	struct uring_watch_channel *watched = NULL;
	struct uring_socket sock;
	char *address = NULL;
	char *client = NULL;
	int ret;

	if (!NT_STATUS_IS_OK(xconn->transport.status) ||
	    xconn->transport.fde == NULL)
	{
		return;
	}
	for (channel = uring_sockopt_channels; channel != NULL;
	     channel = channel->next)
	{
		if (channel->xconn == xconn) {
			return;
		}
	}

	channel = talloc_zero(xconn->transport.fde,
			      struct uring_sockopt_channel);
	if (channel == NULL) {
		return;
	}
	channel->xconn = xconn;
	/* list it first: to add it to the watch reads the settings again */
	DLIST_ADD(uring_sockopt_channels, channel);
	talloc_set_destructor(channel, uring_sockopt_channel_destructor);

	ret = uring_socket_init(xconn->transport.sock, &sock);
	if (ret != 0 || sock.type != SOCK_STREAM ||
	    sock.protocol != IPPROTO_TCP)
	{
		return;
	}
	address = tsocket_address_inet_addr_string(xconn->remote_address,
						   talloc_tos());
	if (address == NULL) {
		return;
	}
	client = talloc_asprintf(talloc_tos(),
				 sock.family == AF_INET6 ? "[%s]:%u" : "%s:%u",
				 address,
				 tsocket_address_inet_port(
					 xconn->remote_address));
	TALLOC_FREE(address);
	if (client == NULL) {
		return;
	}
	watched = uring_watch_add_channel(
		channel, uring_sockopt_watch, &sock, client);
	if (watched == NULL) {
		DBG_ERR("no memory to watch %s\n", client);
	}
	TALLOC_FREE(client);
}

/* Runs once a second while the loop iterates; also finds new channels. */
static void uring_sockopt_settings(struct uring_watch_settings *settings,
				   void *private_data)
{
	struct uring_sockopt_share *share = talloc_get_type_abort(
		private_data, struct uring_sockopt_share);
	struct smbXsrv_connection *xconn =
		share->conn->sconn->client->connections;
	enum smbd_uring_sockopt mode = lp_smbd_uring_sockopt(SNUM(share->conn));
	size_t i;

	if (mode != share->mode) {
		smbd_uring_require(mode);
		smbd_uring_release(share->mode);
		share->mode = mode;
	}

	for (; xconn != NULL; xconn = xconn->next) {
		uring_sockopt_add_channel(xconn);
	}

	for (i = 0; i < URING_WATCH_PARAMETERS; i++) {
		const struct uring_watch_parameter *p =
			&uring_watch_parameters[i];
		const char *value = lp_parm_const_string(SNUM(share->conn),
							 "smbd_uring",
							 p->name,
							 "0");

		if (!uring_watch_set(settings, i, value) && !share->said[i]) {
			share->said[i] = true;
			DBG_ERR("smbd_uring: smbd_uring:%s = %s: unknown "
				"value in [%s], allowed: %s; using 0\n",
				p->name,
				value,
				lp_const_servicename(SNUM(share->conn)),
				p->allowed);
		}
	}
}

static int uring_sockopt_share_destructor(struct uring_sockopt_share *share)
{
	smbd_uring_release(share->mode);
	return 0;
}

static bool uring_sockopt_start(struct uring_sockopt_share *share,
				const char *service,
				const char *user)
{
	static bool said;
	struct smbXsrv_client *client = share->conn->sconn->client;
	struct uring_watch_share *watched = NULL;
	char *directory = NULL;

	if (uring_sockopt_watch == NULL) {
		directory = lock_path(talloc_tos(), "smbd_uring");
		if (directory == NULL) {
			return false;
		}
		uring_sockopt_watch = uring_watch_create(client,
							 client->raw_ev_ctx,
							 directory,
							 uring_sockopt_log);
		TALLOC_FREE(directory);
	}
	if (uring_sockopt_watch == NULL) {
		if (!said) {
			said = true;
			DBG_ERR("smbd_uring: uring_sockopt of [%s] needs smbd "
				"uring backend = io_uring in [global]; the "
				"share is served without it\n",
				service);
		}
		return true;
	}
	watched = uring_watch_add_share(share,
					uring_sockopt_watch,
					service,
					user,
					uring_sockopt_settings,
					share);
	/* root must create the first ring */
	(void)uring_prepare(client->raw_ev_ctx, 64);
	return watched != NULL;
}

static int uring_sockopt_connect(struct vfs_handle_struct *handle,
				 const char *service,
				 const char *user)
{
	struct uring_sockopt_share *share = NULL;
	bool ok;
	int ret;

	ret = SMB_VFS_NEXT_CONNECT(handle, service, user);
	if (ret < 0) {
		return ret;
	}

	share = talloc_zero(handle->conn, struct uring_sockopt_share);
	if (share == NULL) {
		SMB_VFS_NEXT_DISCONNECT(handle);
		errno = ENOMEM;
		return -1;
	}
	share->conn = handle->conn;
	share->mode = lp_smbd_uring_sockopt(SNUM(handle->conn));
	smbd_uring_require(share->mode);
	talloc_set_destructor(share, uring_sockopt_share_destructor);

	/* smbd is root here */
	ok = uring_sockopt_start(share, service, user);
	if (!ok) {
		TALLOC_FREE(share);
		SMB_VFS_NEXT_DISCONNECT(handle);
		errno = ENOMEM;
		return -1;
	}

	SMB_VFS_HANDLE_SET_DATA(handle,
				share,
				NULL,
				struct uring_sockopt_share,
				return -1);
	return 0;
}

static void uring_sockopt_disconnect(struct vfs_handle_struct *handle)
{
	struct uring_sockopt_share *share = NULL;

	SMB_VFS_HANDLE_GET_DATA(handle,
				share,
				struct uring_sockopt_share,
				return);
	handle->data = NULL;
	TALLOC_FREE(share);
	SMB_VFS_NEXT_DISCONNECT(handle);
}

static struct vfs_fn_pointers vfs_uring_sockopt_fns = {
	.connect_fn = uring_sockopt_connect,
	.disconnect_fn = uring_sockopt_disconnect,
};

static_decl_vfs;
NTSTATUS vfs_uring_sockopt_init(TALLOC_CTX *ctx)
{
	return smb_register_vfs(SMB_VFS_INTERFACE_VERSION,
				"uring_sockopt",
				&vfs_uring_sockopt_fns);
}
