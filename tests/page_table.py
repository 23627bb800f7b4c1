"""Every page, with who may open it: read by tests of pages."""

from __future__ import annotations

from tests.route_table import lines_of

# htmx: nobody, asking for a fragment. 302 leads to the sign-in page, HX tells htmx to go there.
PAGES = """
                                            admin user outsider nobody htmx

/a/{account}/                               302   302  404      302    HX
/a/{account}/sessions                       200   200  404      302    HX
/a/{account}/sessions/{session_id}          200   200  404      302    HX
/a/{account}/sessions/{session_id}/messages/{seq}  200 200 404  302    HX
/a/{account}/sessions/{session_id}/title    200   200  404      302    HX
/a/{account}/sessions/{session_id}/state    405   405  404      302    HX
/a/{account}/sessions/{session_id}/memory   405   405  404      302    HX
/a/{account}/sessions/{session_id}/commit   405   405  404      302    HX
/a/{account}/sessions/{session_id}/delete   200   403  404      302    HX
/a/{account}/memories                       200   200  404      302    HX
/a/{account}/memories/new                   200   200  404      302    HX
/a/{account}/memories/export                200   200  404      302    HX
/a/{account}/memories/bulk                  405   405  404      302    HX
/a/{account}/memories/{memory_id}           200   200  404      302    HX
/a/{account}/memories/{memory_id}/edit      200   200  404      302    HX
/a/{account}/memories/{memory_id}/history   200   200  404      302    HX
/a/{account}/memories/{memory_id}/restore   405   405  404      302    HX
/a/{account}/contacts                       200   200  404      302    HX
/a/{account}/contacts/new                   200   200  404      302    HX
/a/{account}/contacts/{contact_id}          200   200  404      302    HX
/a/{account}/contacts/{contact_id}/edit     200   200  404      302    HX
/a/{account}/contacts/{contact_id}/delete   200   200  404      302    HX
/a/{account}/contacts/{contact_id}/consent  200   200  404      302    HX
/a/{account}/contacts/{contact_id}/merge    200   403  404      302    HX
/a/{account}/contacts/{contact_id}/unmerge  405   405  404      302    HX
/a/{account}/contacts/{contact_id}/handles/new  200 200  404    302    HX
/a/{account}/contacts/{contact_id}/handles/{handle_id}/remove  200 200 404 302 HX
/a/{account}/contacts/{contact_id}/handles/{handle_id}/bind    200 403 404 302 HX
/a/{account}/contacts/{contact_id}/handles/{handle_id}/unbind  405 405 404 302 HX
/a/{account}/link                           200   200  404      302    HX
/a/{account}/policy                         200   200  404      302    HX
/a/{account}/policy/changes                 200   403  404      302    HX
/a/{account}/policy/versions                200   403  404      302    HX
/a/{account}/overview                       200   403  404      302    HX
/a/{account}/imports                        200   403  404      302    HX
/a/{account}/imports/new                    200   403  404      302    HX
/a/{account}/imports/{import_id}            200   403  404      302    HX
/a/{account}/imports/{import_id}/apply      405   405  404      302    HX
/a/{account}/imports/{import_id}/discard    405   405  404      302    HX
/a/{account}/imports/{import_id}/rollback   200   403  404      302    HX
/a/{account}/jobs                           200   403  404      302    HX
/a/{account}/jobs/retry                     405   405  404      302    HX
/a/{account}/jobs/{task_id}/retry           405   405  404      302    HX
/a/{account}/jobs/{task_id}/skip            405   405  404      302    HX
/a/{account}/jobs/{task_id}/cancel          405   405  404      302    HX
/a/{account}/users                          200   403  404      302    HX
/a/{account}/users/new                      200   403  404      302    HX
/a/{account}/users/{user_id}                200   403  404      302    HX
/a/{account}/users/{user_id}/edit           200   403  404      302    HX
/a/{account}/users/{user_id}/invite         200   403  404      302    HX
/a/{account}/users/{user_id}/delete         200   403  404      302    HX
/a/{account}/users/{user_id}/memory         200   200  404      302    HX
/a/{account}/users/{user_id}/memory/export  200   200  404      302    HX
/a/{account}/users/{user_id}/memory/delete  405   405  404      302    HX
/a/{account}/users/{user_id}/memory/restore  405  405  404      302    HX
/a/{account}/users/{user_id}/memory/wipe    200   200  404      302    HX
/a/{account}/users/{user_id}/extractions    200   200  404      302    HX
/a/{account}/keys                           200   200  404      302    HX
/a/{account}/keys/new                       200   200  404      302    HX
/a/{account}/keys/replace                   200   200  404      302    HX
/a/{account}/keys/{key_id}/revoke           200   200  404      302    HX
/a/{account}/invitations/{invitation}/renew   405 405  404      302    HX
/a/{account}/invitations/{invitation}/revoke  405 405  404      302    HX
/a/{account}/agents                         200   403  404      302    HX
/a/{account}/agents/new                     200   403  404      302    HX
/a/{account}/agents/{agent_id}              200   403  404      302    HX
/a/{account}/agents/{agent_id}/rename       200   403  404      302    HX
/a/{account}/agents/{agent_id}/delete       200   403  404      302    HX
/a/{account}/audit                          200   403  404      302    HX
/a/{account}/audit.csv                      200   403  404      302    HX
/a/{account}/audit/{event_id}               200   403  404      302    HX
/a/{account}/looked                         200   200  404      302    HX
/a/{account}/settings                       200   403  404      302    HX
/a/{account}/view                           200   403  404      302    HX
/a/{account}/view/leave                     405   405  404      302    HX

/operator/                                  404   404  404      302    200
/operator/accounts                          404   404  404      302    200
/operator/accounts/new                      404   404  404      302    200
/operator/accounts/{account}                404   404  404      302    200
/operator/accounts/{account}/name           404   404  404      302    200
/operator/accounts/{account}/state          404   404  404      302    200
/operator/accounts/{account}/delete         404   404  404      302    200
/operator/people                            404   404  404      302    200
/operator/people/{person}                   404   404  404      302    200
/operator/people/{person}/rights            404   404  404      302    200
/operator/people/{person}/link              404   404  404      302    200
/operator/log                               404   404  404      302    200
/operator/health                            404   404  404      302    200

/                                           302   302  302      302    302
/sign-in                                    302   302  302      200    200
/sign-in/inactive                           403   403  403      403    403
/sign-in/code                               302   302  302      302    302
/sign-in/again                              200   200  200      302    302
/sign-in/again/code                         302   302  302      302    302
/password/reset                             200   200  200      200    200
/password/reset/sent                        200   200  200      200    200
/password/reset/done                        200   200  200      200    200
/password/reset/{uidb36}/{key}              410   410  410      410    410
/account                                    200   200  200      302    302
/account/elsewhere                          405   405  405      405    405
/account/password                           200   200  200      302    302
/account/code                               302   302  302      302    302
/account/code/remove                        404   404  404      302    302
/account/recovery-codes                     404   404  404      302    302
/account/recovery-codes/new                 302   302  302      302    302
/account/recovery-codes/file                404   404  404      302    302
/invitation/{token}                         404   404  404      404    404
/sign-out                                   200   200  200      302    302
/theme                                      405   405  405      405    405
/health                                     200   200  200      200    200
/ready                                      200   200  200      200    200
/metrics                                    401   401  401      401    401
/api/v1/                                    404   404  404      404    404
/api/v1/docs                                200   200  200      200    200
/api/v1/openapi.json                        200   200  200      200    200
"""
VISITORS = ("admin", "user", "outsider", "nobody", "htmx")


def page_cells() -> list[tuple[str, str, str]]:
    header, *lines = lines_of(PAGES)
    assert tuple(header) == VISITORS
    return [
        (path, visitor, status)
        for path, *statuses in lines
        for visitor, status in zip(VISITORS, statuses, strict=True)
    ]
