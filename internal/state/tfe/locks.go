package tfe

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"

	"github.com/google/uuid"

	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/state"
)

// lockPrefix begins the IDs of locks that were taken here. A cloud block shows
// no ID when it writes and unlocks; its token speaks for it. That must not open
// what the same token locked over HTTP, where whoever locked has an ID.
const lockPrefix = "cloud-"

// holds returns the ID of the lock that the token took here, "" if it took none.
func (c *call) holds() string {
	l := c.workspace.Lock
	if l == nil || l.Token != c.cred.ID || !strings.HasPrefix(l.ID, lockPrefix) {
		return ""
	}
	return l.ID
}

func (a *API) lock(c *call) error {
	var in struct {
		Reason string `json:"reason"`
	}
	if err := c.read(&in, maxBody); err != nil {
		return err
	}
	if c.workspace.Frozen != "" && c.workspace.Lock == nil {
		// Not a conflict: of one clients tell no more than that it is locked.
		return errs.New(errs.Forbidden, "The state %s is frozen: %s", c.workspace.Name, c.workspace.Frozen)
	}
	id, err := uuid.NewV7()
	if err != nil {
		return err
	}
	if len(in.Reason) > 1000 {
		in.Reason = strings.ToValidUTF8(in.Reason[:1000], "")
	}
	raw, err := json.Marshal(state.LockInfo{
		ID: lockPrefix + id.String(), Info: in.Reason, Who: c.cred.Actor.String(), Created: a.States.Now().UTC(), Path: c.org.Slug + "/" + Workspace(c.workspace.Name),
	})
	if err != nil {
		return err
	}
	if _, err := a.States.Lock(c.Context(), c.org.ID, c.workspace.Name, c.who(), raw); err != nil {
		return err
	}
	return a.reread(c)
}

// reread answers with the workspace as it is now.
func (a *API) reread(c *call) error {
	st, err := a.States.ByID(c.Context(), c.org.ID, c.workspace.ID)
	if err != nil {
		return err
	}
	c.workspace.State = st
	return c.send(http.StatusOK, a.view(c, c.workspace), nil)
}

// lockedBy says who holds the lock in the words that clients look for.
func lockedBy(name string, l state.Lock) error {
	kind := "User"
	if l.Run != "" {
		kind = "Run"
	}
	return errs.New(errs.Conflict, "The workspace %s is locked by %s %s.", Workspace(name), kind, l.Holder())
}

func (a *API) unlock(c *call) error {
	l := c.workspace.Lock
	if l != nil {
		id := c.holds()
		if id == "" {
			return lockedBy(c.workspace.Name, *l)
		}
		err := a.States.Unlock(c.Context(), c.org.ID, c.workspace.Name, c.who(), id)
		var other *state.HeldError
		if errors.As(err, &other) {
			return lockedBy(c.workspace.Name, other.Lock)
		}
		if err != nil {
			return err
		}
	}
	// One that nobody holds is no error: the client may repeat what was not
	// answered.
	return a.reread(c)
}

func (a *API) forceUnlock(c *call) error {
	taken, err := a.States.ForceUnlock(c.Context(), c.org.ID, c.workspace.Name, c.who(), "", "asked by the cloud block's force-unlock")
	var other *state.HeldError
	if errors.As(err, &other) {
		// Not a conflict: of one clients tell here that nobody holds the lock.
		return errs.Wrap(errs.Forbidden, err, "%s", errs.Sentence(lockedBy(c.workspace.Name, other.Lock))+" The run still goes on: stop it first.")
	}
	if err != nil {
		return err
	}
	if taken == nil {
		return errs.New(errs.Conflict, "The workspace %s is not locked.", Workspace(c.workspace.Name))
	}
	return a.reread(c)
}
