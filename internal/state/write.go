package state

import (
	"context"
	"crypto/md5" // the protocol has it, against broken transfers; SHA-256 stands beside it
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/tidelock/tidelock/internal/db"
	"github.com/tidelock/tidelock/internal/errs"
)

// Write is a state that somebody wants to count from now on.
type Write struct {
	Client string // ID
	Name   string
	Who    Who
	LockID string // of the lock that the writer holds, "" for none
	MD5    string // what the body must have, in base64 or hex; "" for whatever it has
	Body   io.Reader
	// Force leaves out the checks of lineage and serial, never that of the
	// lock. It needs a reason, and has an audit event of its own.
	Force  bool
	Reason string
	// Override is why the write counts although it does not follow, where it
	// does not: it is then one by Force, with this for its reason. "" refuses it.
	Override string

	kind string // KindWrite if empty
}

// taken is a body that was read, checked by itself, and sealed.
type taken struct {
	content
	doc         Document
	version     string // ID
	md5, sha256 string // hex
}

// Write makes a version of what the body has, and has it count. A write that
// was made already, the same serial with the same content, gives that version.
//
// The error is errs.Invalid for a body that is no state, was cut or has another
// MD5, errs.TooLarge above the limits, and errs.Conflict, a *HeldError perhaps,
// for one that does not follow from what is there. Then nothing was changed.
func (s *Store) Write(ctx context.Context, w Write) (_ Version, err error) {
	defer s.tell("write", time.Now(), &err)
	if err := CheckName(w.Name); err != nil {
		return Version{}, err
	}
	if w.Force && w.Reason == "" {
		return Version{}, errs.New(errs.Invalid, "A forced write needs a reason.")
	}
	// What is refused in the end is refused before 100 MB were read, too.
	if st, err := state(ctx, s.DB, w.Client, w.Name); err == nil {
		if err := w.may(st); err != nil && !errors.Is(err, errLockGone) {
			return Version{}, err
		}
	} else if !errs.Is(err, errs.NotFound) {
		return Version{}, err
	}
	t, err := s.take(ctx, w)
	if err != nil {
		return Version{}, fmt.Errorf("write state %s: %w", w.Name, err)
	}
	v, err := s.store(ctx, w, t)
	s.letGo(ctx, w.Client, t, v, err)
	if err != nil {
		return Version{}, fmt.Errorf("write state %s: %w", w.Name, err)
	}
	return v, nil
}

// letGo ends with a content whose transaction ended with the version and the
// error. Its blob goes where no row names it. After a commit of which nobody
// knows how it ended a row may: then the blob stays.
func (s *Store) letGo(ctx context.Context, client string, t taken, v Version, err error) {
	t.free()
	if t.blob == "" || err == nil && v.ID == t.version || errs.Is(err, errs.Unavailable) {
		return
	}
	_ = s.Blobs.Delete(context.WithoutCancel(ctx), client, t.blob)
}

var pumps = sync.Pool{New: func() any { b := make([]byte, 64<<10); return &b }}

// take reads the body once: hashes, checks and seals it on the way.
func (s *Store) take(ctx context.Context, w Write) (taken, error) {
	id, err := uuid.NewV7()
	if err != nil {
		return taken{}, err
	}
	sealing, err := s.seal(ctx, w.Client, w.Name, id.String())
	if err != nil {
		return taken{}, err
	}
	sum5, sum256, scan := md5.New(), sha256.New(), newScanner()
	body := w.Body
	if s.Limits.Size > 0 {
		body = io.LimitReader(w.Body, s.Limits.Size+1)
	}
	pump := pumps.Get().(*[]byte)
	defer pumps.Put(pump)
	_, err = io.CopyBuffer(struct{ io.Writer }{io.MultiWriter(scan, sum5, sum256, sealing)}, struct{ io.Reader }{body}, *pump)
	if err == nil && s.Limits.Size > 0 && sealing.size > s.Limits.Size {
		err = tooLarge(s.Limits.Size)
	}
	t := taken{version: id.String()}
	if err == nil {
		t.doc, err = scan.finish()
	}
	if err == nil {
		t.md5, t.sha256 = hex.EncodeToString(sum5.Sum(nil)), hex.EncodeToString(sum256.Sum(nil))
		err = checkMD5(w.MD5, t.md5)
	}
	if err != nil {
		sealing.abort(err)
		return taken{}, cut(err)
	}
	t.content, err = sealing.close()
	return t, err
}

// cut says of a body that ended too early that it did.
func cut(err error) error {
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return errs.Wrap(errs.Invalid, err, "The body ended before its end. Nothing was changed.")
	}
	return err
}

func tooLarge(limit int64) error {
	return errs.New(errs.TooLarge, "The state has more than %d bytes, which is the limit here (state.max_size). Nothing was changed.", limit)
}

// checkMD5 compares what was announced with what came, which is in hex.
func checkMD5(announced, came string) error {
	if announced == "" || announced == came {
		return nil
	}
	sum, err := hex.DecodeString(announced)
	if err != nil {
		sum, err = base64.StdEncoding.DecodeString(announced)
	}
	if err != nil || len(sum) != md5.Size {
		return errs.New(errs.Invalid, "The MD5 that is announced is none, in base64 or hex. Nothing was changed.")
	}
	if hex.EncodeToString(sum) != came {
		return errs.New(errs.Invalid, "The body does not have the MD5 that was announced for it: it was damaged on the way. Nothing was changed.")
	}
	return nil
}

// errLockGone marks a write under a lock that nobody holds any more.
var errLockGone = errors.New("the lock is gone")

// mayWrite checks what stands before any write: the lock above all.
func mayWrite(st State, lockID string) error {
	switch {
	case st.Frozen != "":
		return errs.New(errs.Conflict, "The state %s is frozen: %s Nothing was changed.", st.Name, st.Frozen)
	case st.Lock != nil && lockID == "":
		return held(*st.Lock, "The state %s is locked by %s, and the write names no lock. Nothing was changed.", st.Name, st.Lock.Holder())
	case st.Lock != nil && lockID != st.Lock.ID:
		return held(*st.Lock, "The state %s is locked by %s, under another lock than the write's. Nothing was changed.", st.Name, st.Lock.Holder())
	case st.Lock == nil && lockID != "":
		return errs.Wrap(errs.Conflict, errLockGone, "The lock of the write is not held any more: somebody took it away from the state %s. Nothing was changed.", st.Name)
	}
	return nil
}

// may is mayWrite for the write. What is frozen is mended by force.
func (w Write) may(st State) error {
	if w.Force {
		st.Frozen = ""
	}
	return mayWrite(st, w.LockID)
}

// follows checks that the document follows from the version that counts. It
// reports true where it is that version.
func follows(st State, doc Document, md5 string) (same bool, err error) {
	if !st.Exists() {
		return false, nil
	}
	switch {
	case st.Lineage != "" && doc.Lineage != st.Lineage:
		return false, errs.New(errs.Conflict, "The state %s has the lineage %s, and the write has %s: it is another state. Nothing was changed.", st.Name, st.Lineage, orNone(doc.Lineage))
	case doc.Serial < st.Serial:
		return false, errs.New(errs.Conflict, "The state %s has the serial %d, and the write has the older %d. Nothing was changed.", st.Name, st.Serial, doc.Serial)
	case doc.Serial > st.Serial:
		return false, nil
	case md5 != st.MD5:
		return false, errs.New(errs.Conflict, "The state %s has the serial %d already, with another content. Somebody else wrote meanwhile; nothing was changed. Plan again.", st.Name, st.Serial)
	}
	return true, nil
}

func orNone(s string) string {
	if s == "" {
		return "none"
	}
	return s
}

// store makes the version's row and has it count.
func (s *Store) store(ctx context.Context, w Write, t taken) (v Version, err error) {
	err = s.DB.Together(ctx, func(tx *db.Tx) error {
		w := w // the transaction may be tried again
		st, err := s.ensure(ctx, tx, w.Client, w.Name)
		if err != nil {
			return err
		}
		if !w.Force {
			locked := w.may(st)
			if locked != nil && !errors.Is(locked, errLockGone) {
				return locked
			}
			same, err := follows(st, t.doc, t.md5)
			if err == nil && same {
				v, err = version(ctx, tx, st.ID, st.Current)
				return err // a repetition, after its unlock perhaps
			}
			if w.Override != "" && locked == nil && errs.Is(err, errs.Conflict) {
				w.Force, w.Reason, err = true, w.Override, nil
			}
			if err := errors.Join(locked, err); err != nil {
				return firstOf(locked, err)
			}
		} else if err := w.may(st); err != nil {
			return err
		}
		if st.Lock == nil { // what is locked began within the quota, and may end
			if err := s.room(ctx, tx, w.Client, t.stored); err != nil {
				return err
			}
		}
		v, err = s.insert(ctx, tx, st, w, t)
		if err != nil {
			return err
		}
		if err := s.count(ctx, tx, st, v); err != nil {
			return err
		}
		action, detail := "state.written", map[string]any{"version": v.Seq, "serial": v.Serial, "sha256": v.SHA256, "size": v.Size, "resources": v.Resources}
		if w.Force {
			action = "state.forced"
			detail["reason"], detail["over"] = w.Reason, map[string]any{"serial": st.Serial, "lineage": st.Lineage}
		}
		return s.record(ctx, tx, st, w.Who, action, detail)
	})
	return v, err
}

// firstOf returns the first error that is one.
func firstOf(all ...error) error {
	for _, err := range all {
		if err != nil {
			return err
		}
	}
	return nil
}

// room refuses what exceeds the client's quota.
func (s *Store) room(ctx context.Context, tx *db.Tx, client string, more int64) error {
	if s.Limits.Bytes <= 0 {
		return nil
	}
	use, err := usage(ctx, tx, client)
	if err != nil {
		return err
	}
	if use.Bytes+more > s.Limits.Bytes {
		return quota("This client's states and their versions take %d bytes, and may take %d.", use.Bytes, s.Limits.Bytes)
	}
	return nil
}

// insert makes the row of a version.
func (s *Store) insert(ctx context.Context, tx *db.Tx, st State, w Write, t taken) (Version, error) {
	kind := w.kind
	if kind == "" {
		kind = KindWrite
		if w.Force {
			kind = KindForce
		}
	}
	v := Version{
		ID: t.version, State: st.ID, Client: st.Client, Seq: st.Seq + 1, Kind: kind, Serial: t.doc.Serial, Lineage: t.doc.Lineage, Size: t.size, Stored: t.stored, MD5: t.md5, SHA256: t.sha256,
		TerraformVersion: t.doc.TerraformVersion, Encrypted: t.doc.Encrypted, Resources: t.doc.Resources, Instances: t.doc.Instances,
		Actor: w.Who.Actor, Run: w.Who.Run, Commit: w.Who.Commit, Reason: w.Reason, Created: db.FromMillis(db.Millis(s.Now())), Key: t.wrapped.Key, blob: t.blob, wrapped: t.wrapped.Data,
	}
	actor, err := json.Marshal(v.Actor)
	if err != nil {
		return Version{}, err
	}
	encrypted := 0
	if v.Encrypted {
		encrypted = 1
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO state_versions (id, state_id, client_id, seq, kind, serial, lineage, size, stored, md5, sha256, terraform_version, encrypted, resources, instances,
			actor, run_id, commit_sha, reason, created_ms, blob_ref, key_id, wrapped)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23)`,
		v.ID, v.State, v.Client, v.Seq, v.Kind, v.Serial, v.Lineage, v.Size, v.Stored, v.MD5, v.SHA256, v.TerraformVersion, encrypted, v.Resources, v.Instances,
		string(actor), v.Run, v.Commit, v.Reason, db.Millis(v.Created), v.blob, v.Key, v.wrapped)
	if err != nil {
		return Version{}, fmt.Errorf("store version %d: %w", v.Seq, err)
	}
	if v.blob == "" {
		if _, err := tx.ExecContext(ctx, `INSERT INTO state_contents (version_id, sealed) VALUES ($1, $2)`, v.ID, t.sealed); err != nil {
			return Version{}, fmt.Errorf("store the content of version %d: %w", v.Seq, err)
		}
	}
	if _, err := tx.ExecContext(ctx, `UPDATE states SET seq = $1 WHERE id = $2`, v.Seq, st.ID); err != nil {
		return Version{}, fmt.Errorf("number version %d: %w", v.Seq, err)
	}
	return v, addUsage(ctx, tx, st.Client, 0, v.Stored)
}

// count has the version count from now on.
func (s *Store) count(ctx context.Context, tx *db.Tx, st State, v Version) error {
	highest := v.Serial
	if v.Lineage == st.Lineage {
		highest = max(highest, st.maxSerial)
	}
	_, err := tx.ExecContext(ctx, `UPDATE states SET version_id = $1, serial = $2, max_serial = $3, lineage = $4, md5 = $5, written_ms = $6 WHERE id = $7`,
		v.ID, v.Serial, highest, v.Lineage, v.MD5, db.Millis(v.Created), st.ID)
	if err != nil {
		return fmt.Errorf("have version %d count: %w", v.Seq, err)
	}
	return nil
}

// Delete takes the state away. Its versions stay, for as long as versions do,
// and can be restored. One that is not there is no error.
func (s *Store) Delete(ctx context.Context, client, name string, who Who, lockID string) (err error) {
	defer s.tell("delete", time.Now(), &err)
	if err := CheckName(name); err != nil {
		return err
	}
	err = s.DB.Tx(ctx, func(tx *db.Tx) error { return s.DeleteTx(ctx, tx, client, name, who, lockID) })
	if err != nil {
		return fmt.Errorf("delete state %s: %w", name, err)
	}
	return nil
}

// DeleteTx is Delete in a transaction of the caller's.
func (s *Store) DeleteTx(ctx context.Context, tx *db.Tx, client, name string, who Who, lockID string) error {
	st, err := s.hold(ctx, tx, client, name)
	if errs.Is(err, errs.NotFound) || err == nil && !st.Exists() {
		return nil
	}
	if err != nil {
		return err
	}
	if err := mayWrite(st, lockID); err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, `UPDATE states SET version_id = '', md5 = '', written_ms = $1 WHERE id = $2`, db.Millis(s.Now()), st.ID); err != nil {
		return err
	}
	return s.record(ctx, tx, st, who, "state.deleted", map[string]any{"serial": st.Serial, "lineage": st.Lineage, "version": st.Seq})
}
