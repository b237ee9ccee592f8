package tfe

import (
	"crypto/md5" // the protocol has it, against broken transfers
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/tidelock/tidelock/internal/access"
	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/state"
)

// versionView is a version as clients read it, with the address that its
// content is read at. One that was announced and did not come yet has no number.
func (a *API) versionView(c *call, v state.Version) (resource, error) {
	at := map[string]any{
		"created-at": stamp(v.Created), "serial": v.Serial, "lineage": v.Lineage, "md5": v.MD5, "size": v.Size, "status": "pending",
		"resources-processed": v.Seq > 0, "terraform-version": v.TerraformVersion, "state-version": 4, "vcs-commit-sha": v.Commit,
	}
	if v.Seq > 0 {
		at["status"] = "finalized"
		if v.Kind == state.KindErrored {
			at["status"] = "discarded" // it is kept, and never counted
		}
		url, err := a.sign(c.Request, claims{For: forDownload, Client: c.org.ID, State: v.State, Version: v.ID, Token: c.cred.ID})
		if err != nil {
			return resource{}, err
		}
		at["hosted-state-download-url"] = url
	}
	return resource{ID: "sv-" + v.ID, Type: "state-versions", Attributes: at, Relationships: map[string]any{"workspace": related("workspaces", "ws-"+v.State)}}, nil
}

func (a *API) sendVersion(c *call, code int, v state.Version) error {
	c.w.Header().Set("X-Terraform-Snapshot-Interval", snapshotSeconds)
	view, err := a.versionView(c, v)
	if err != nil {
		return err
	}
	return c.send(code, view, nil)
}

func (a *API) currentVersion(c *call) error {
	c.w.Header().Set("X-Terraform-Snapshot-Interval", snapshotSeconds)
	v, err := a.States.Current(c.Context(), c.org.ID, c.workspace.Name)
	if err != nil {
		return absent(err)
	}
	return a.sendVersion(c, http.StatusOK, v)
}

func (a *API) readVersion(c *call) error { return a.sendVersion(c, http.StatusOK, c.version) }

// maxListed bounds how many versions a list goes back.
const maxListed = 1000

func (a *API) listVersions(c *call) error {
	q := c.URL.Query()
	if q.Get("filter[organization][name]") != c.org.Slug {
		return errForeign
	}
	if err := a.byName(c, q.Get("filter[workspace][name]")); err != nil {
		return err
	}
	all, err := a.States.Versions(c.Context(), c.org.ID, c.workspace.Name, maxListed)
	if err != nil {
		return err
	}
	part, meta, err := page(c, all)
	if err != nil {
		return err
	}
	list := []resource{}
	for _, v := range part {
		view, err := a.versionView(c, v)
		if err != nil {
			return err
		}
		list = append(list, view)
	}
	return c.send(http.StatusOK, list, meta)
}

// announced is the version that a request is about to write.
type announced struct {
	Data struct {
		Attributes struct {
			Serial  *int64 `json:"serial"`
			MD5     string `json:"md5"`
			Lineage string `json:"lineage"`
			Force   bool   `json:"force"`
			State   string `json:"state"` // base64; "" where it comes by an address of its own
		} `json:"attributes"`
	} `json:"data"`
}

func (a *API) createVersion(c *call) error {
	c.w.Header().Set("X-Terraform-Snapshot-Interval", snapshotSeconds)
	var in announced
	if err := c.read(&in, maxAnnounce); err != nil {
		return err
	}
	at := in.Data.Attributes
	at.MD5 = strings.ToLower(at.MD5)
	if sum, err := hex.DecodeString(at.MD5); err != nil || len(sum) != 16 {
		return errs.New(errs.Invalid, "A state version needs its MD5 in hex. Nothing was changed.")
	}
	if at.Serial == nil || *at.Serial < 0 || len(at.Lineage) > 1000 {
		return errs.New(errs.Invalid, "A state version needs its serial, which is no negative number, and a lineage of at most 1000 bytes. Nothing was changed.")
	}
	lock := c.holds()
	if c.workspace.Lock != nil && lock == "" {
		return lockedBy(c.workspace.Name, *c.workspace.Lock)
	}
	w := state.Write{Client: c.org.ID, Name: c.workspace.Name, Who: c.who(), LockID: lock, MD5: at.MD5}
	err := a.States.Follows(c.Context(), w, state.Document{Serial: *at.Serial, Lineage: at.Lineage}, at.MD5)
	var held *state.HeldError
	if errs.Is(err, errs.Conflict) && !errors.As(err, &held) && c.workspace.Frozen == "" {
		// The remote backend says force where it migrates a state, too, and the
		// cloud block never does, not for state push -force either: so it takes
		// the right, and only where it makes a difference.
		if w.Override = state.OverrideOf(c.cred); w.Override == "" {
			kind := errs.Conflict
			if at.Force {
				kind = errs.Forbidden
			}
			return errs.Wrap(kind, err, "%s To have it count nevertheless, the token needs the scope force-write.", errs.Sentence(err))
		}
		err = nil
	}
	if err != nil {
		return err
	}
	if at.State != "" {
		w.Body = base64.NewDecoder(base64.StdEncoding, strings.NewReader(at.State))
		v, err := a.States.Write(c.Context(), w)
		if err != nil {
			var broken base64.CorruptInputError
			if errors.As(err, &broken) {
				return errs.Wrap(errs.Invalid, errors.Join(errMalformed, err), "The state in the request is not base64. Nothing was changed.")
			}
			return err
		}
		return a.sendVersion(c, http.StatusCreated, v)
	}
	u, err := a.announce(c.Context(), upload{
		state: c.workspace.ID, client: c.org.ID, token: c.cred.ID, lock: lock, serial: *at.Serial, lineage: at.Lineage, md5: at.MD5, forced: w.Override != "",
	})
	if err != nil {
		return err
	}
	view, err := a.versionView(c, state.Version{ID: u.id, State: u.state, Serial: u.serial, Lineage: u.lineage, MD5: u.md5, Created: u.created})
	if err != nil {
		return err
	}
	for name, purpose := range map[string]string{"hosted-state-upload-url": forUpload, "hosted-json-state-upload-url": forJSON} {
		if view.Attributes[name], err = a.sign(c.Request, claims{For: purpose, Client: u.client, State: u.state, Version: u.id, Token: u.token}); err != nil {
			return err
		}
	}
	return c.send(http.StatusCreated, view, nil)
}

// write stores what came for an announced version. It may come again: the
// client repeats what was not answered.
func (a *API) write(r *http.Request, cred access.Credential, st state.State, u upload) error {
	if limit := a.States.Limits.Size; limit > 0 && r.ContentLength > limit {
		return errs.New(errs.TooLarge, "The state has more than %d bytes, which is the limit here (state.max_size). Nothing was changed.", limit)
	}
	if u.version != "" {
		v, err := a.States.VersionByID(r.Context(), u.client, u.version)
		if err != nil {
			return errAddress // pruned since: nothing comes here any more
		}
		return same(r.Body, v)
	}
	w := state.Write{Client: u.client, Name: st.Name, Who: state.By(cred), LockID: u.lock, MD5: u.md5, Body: r.Body}
	if u.forced {
		w.Override = state.OverrideOf(cred)
	}
	v, err := a.States.Write(r.Context(), w)
	if err != nil {
		return err
	}
	return a.came(r.Context(), u, v.ID)
}

// same checks that the body is the content of the version.
func same(body io.Reader, v state.Version) error {
	sum := md5.New()
	n, err := io.Copy(sum, io.LimitReader(body, v.Size+1))
	if err != nil {
		return errs.Wrap(errs.Invalid, err, "The body ended before its end. Nothing was changed.")
	}
	if n != v.Size || hex.EncodeToString(sum.Sum(nil)) != v.MD5 {
		return errs.New(errs.Conflict, "The version has come already, with another content. Nothing was changed.")
	}
	return nil
}

// content opens the content of a version.
func (a *API) content(r *http.Request, v state.Version, name string) (io.ReadCloser, error) {
	_, body, err := a.States.ReadVersion(r.Context(), v.Client, name, v.Seq)
	if err != nil {
		return nil, fmt.Errorf("read version %d of %s: %w", v.Seq, name, err)
	}
	return body, nil
}
