package bot

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"regexp"
	"strconv"
	"strings"

	"github.com/tidelock/tidelock/internal/db"
	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/github"
	"github.com/tidelock/tidelock/internal/queue"
)

// maxBody is the largest webhook in bytes: GitHub sends none over 25 MB.
const maxBody = 25 << 20

// guid is what GitHub's delivery IDs look like; other senders are not ours.
var guid = regexp.MustCompile(`^[0-9A-Za-z-]{8,64}$`)

// ServeHTTP receives a webhook: it caps the body, checks the signature over
// the raw bytes, stores the delivery with its job in one transaction, and only
// then answers 202. A delivery whose GUID is known is acknowledged again and
// does nothing. What can't be stored is not acknowledged: GitHub shows it as
// failed, and the sweep asks for it again.
func (b *Bot) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	code, receipt, err := b.receive(w, r)
	if b.Received != nil {
		b.Received(receipt)
	}
	if err != nil {
		if errs.KindOf(err) == errs.Internal || errs.Is(err, errs.Unavailable) {
			b.Log.Error("webhook not stored", keyDelivery, r.Header.Get("X-GitHub-Delivery"), "error", err)
		}
		http.Error(w, errs.Sentence(err), code)
		return
	}
	w.WriteHeader(code)
}

func (b *Bot) receive(w http.ResponseWriter, r *http.Request) (code int, receipt Receipt, err error) {
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		return http.StatusMethodNotAllowed, ReceiptRefused, errs.New(errs.Invalid, "Webhooks are POSTed here.")
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return http.StatusRequestEntityTooLarge, ReceiptRefused, errs.New(errs.TooLarge, "A webhook has at most %d MB.", maxBody>>20)
	case err != nil:
		return http.StatusBadRequest, ReceiptRefused, errs.Wrap(errs.Invalid, err, "The body could not be read.")
	}
	if err := b.App.Verify(r.Header.Get(github.SignatureHeader), body); err != nil {
		return http.StatusUnauthorized, ReceiptRefused, err
	}
	id, event := r.Header.Get("X-GitHub-Delivery"), r.Header.Get("X-GitHub-Event")
	if !guid.MatchString(id) || event == "" {
		return http.StatusBadRequest, ReceiptRefused, errs.New(errs.Invalid, "The headers X-GitHub-Delivery and X-GitHub-Event are required.")
	}
	if strings.HasPrefix(r.Header.Get("Content-Type"), "application/x-www-form-urlencoded") {
		return http.StatusUnsupportedMediaType, ReceiptRefused, errs.New(errs.Invalid, "Set the webhook's content type to application/json.")
	}
	// A glance at the ids, for the row; the job reads the whole.
	var glance struct {
		Action       string             `json:"action"`
		Installation struct{ ID int64 } `json:"installation"`
		Repository   struct{ ID int64 } `json:"repository"`
	}
	if err := json.Unmarshal(body, &glance); err != nil {
		return http.StatusBadRequest, ReceiptRefused, errs.Wrap(errs.Invalid, err, "The body is not JSON.")
	}
	status, note := "queued", ""
	receipt = ReceiptStored
	// What can't be parsed is queued like the rest, and set aside by its job.
	if e, err := github.ParseEvent(event, body); err == nil {
		// Without a name nobody can say whether a comment gives commands.
		name := b.name()
		if why := Idle(e, name); why != "" && (name != "" || e.Kind != "issue_comment") {
			status, note, receipt = "ignored", why, ReceiptIdle
		}
	}
	err = b.DB.Tx(r.Context(), func(tx *db.Tx) error {
		res, err := tx.ExecContext(r.Context(), `INSERT INTO deliveries (guid, installation_id, repo_id, event, action, body, received_ms, status, error)
			VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9) ON CONFLICT (guid) DO NOTHING`,
			id, glance.Installation.ID, glance.Repository.ID, event, glance.Action, body, db.Millis(b.Now()), status, note)
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			receipt = ReceiptDuplicate
			return err
		}
		if status != "queued" {
			return nil
		}
		return b.Queue.Enqueue(r.Context(), tx, deliveryJob{id}, queue.For(strconv.FormatInt(glance.Installation.ID, 10)))
	})
	switch {
	case errs.Is(err, errs.Unavailable):
		w.Header().Set("Retry-After", "5")
		return http.StatusServiceUnavailable, ReceiptLost, err
	case err != nil:
		return http.StatusInternalServerError, ReceiptLost, err
	}
	return http.StatusAccepted, receipt, nil
}
