package web

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"
	"unicode/utf8"

	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/run"
	"github.com/tidelock/tidelock/internal/runlog"
)

// maxShownLog is how much of a log's end a page shows, maxJSONLog how much of
// it fits into a JSON answer, in bytes. As text there is the whole.
const (
	maxShownLog = 256 << 10
	maxJSONLog  = 4 << 20
)

// logEnd returns the last lines of a stored log, and whether there is more
// before them.
func (s *site) logEnd(ctx context.Context, r run.Run, limit int) (string, bool, error) {
	f, err := runlog.Open(ctx, s.Blobs, r.Client, r.LogBlob)
	if err != nil {
		return "", false, fmt.Errorf("log of run %s: %w", r.ID, err)
	}
	defer f.Close()
	end, cut, err := runlog.Tail(f, limit)
	if err != nil {
		return "", false, fmt.Errorf("log of run %s: %w", r.ID, err)
	}
	return shownText(end), cut, nil
}

// shownText is a text of others without terminal codes and with nothing
// hidden.
func shownText(b []byte) string { return string(visible([]byte(plain(string(b))))) }

// logAnswer is a run's log as JSON.
type logAnswer struct {
	ID       string `json:"id"`
	Log      string `json:"log"`
	Complete bool   `json:"complete"` // false while it grows: this is the end of what there is
	Cut      bool   `json:"cut"`      // there is more before it
}

// logRun returns the run that the path names.
func (s *site) logRun(r *http.Request) (run.Run, error) {
	id, err := pathID(r)
	if err != nil {
		return run.Run{}, err
	}
	return s.Runs.Run(r.Context(), s.DB, id)
}

// growing returns the end of the log of a run that has none stored.
func (s *site) growing(ctx context.Context, stored run.Run) (text string, cut bool, err error) {
	if stored.Status.Finished() {
		return "", false, errs.New(errs.NotFound, "This run left no log.")
	}
	text, cut, err = s.liveLog(ctx, stored)
	if err == nil && text == "" {
		err = errs.New(errs.NotFound, "The log is stored when the run has ended.")
	}
	return text, cut, err
}

func (s *site) apiLog(w http.ResponseWriter, r *http.Request) error {
	if r.URL.Query().Has("download") {
		return s.log(w, r)
	}
	stored, err := s.logRun(r)
	if err != nil {
		return err
	}
	a := logAnswer{ID: stored.ID, Complete: stored.LogBlob != ""}
	if a.Complete {
		a.Log, a.Cut, err = s.logEnd(r.Context(), stored, maxJSONLog)
	} else {
		a.Log, a.Cut, err = s.growing(r.Context(), stored)
	}
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, a)
}

// log gives the whole log as text, however long, as it is read. With
// "download" in the query, browsers store it in a file.
func (s *site) log(w http.ResponseWriter, r *http.Request) error {
	stored, err := s.logRun(r)
	if err != nil {
		return err
	}
	head := func() {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		if r.URL.Query().Has("download") {
			w.Header().Set("Content-Disposition", `attachment; filename="tidelock-`+string(stored.Kind)+"-"+stored.ID+`.log"`)
		}
	}
	if stored.LogBlob == "" {
		text, _, err := s.growing(r.Context(), stored)
		if err != nil {
			return err
		}
		head()
		_, _ = io.WriteString(w, text) // nobody is left to be told
		return nil
	}
	f, err := runlog.Open(r.Context(), s.Blobs, stored.Client, stored.LogBlob)
	if err != nil {
		return fmt.Errorf("log of run %s: %w", stored.ID, err)
	}
	defer f.Close()
	in := bufio.NewReaderSize(f, logPiece)
	if _, err := in.Peek(1); err != nil && !errors.Is(err, io.EOF) { // what can be told is told before anything is sent
		return fmt.Errorf("log of run %s: %w", stored.ID, err)
	}
	head()
	if r.Method == http.MethodHead {
		return nil
	}
	err = sendText(w, in)
	if errors.Is(err, errGone) || r.Context().Err() != nil {
		return nil
	}
	if err != nil {
		// Half of it is sent: only an end that can't be mistaken for one tells.
		s.Log.Error("log can't be read", keyRun, stored.ID, keyError, err)
		panic(http.ErrAbortHandler)
	}
	return nil
}

// logPiece is how much of a log is looked at in one go, in bytes, and logPace
// how long whoever reads it may take for so much.
const (
	logPiece = 64 << 10
	logPace  = time.Minute
)

var errGone = errors.New("nobody reads any more")

// sendText sends a text of others, line by line as far as lines fit into a
// piece, so that nothing is cut that belongs together.
func sendText(w http.ResponseWriter, in *bufio.Reader) error {
	control := http.NewResponseController(w)
	var rest []byte
	for {
		piece, err := in.Peek(logPiece)
		if len(piece) == 0 && err != nil {
			if errors.Is(err, io.EOF) {
				err = nil
			}
			return err
		}
		if err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		n := len(piece)
		if err == nil { // there is more
			n = wholeText(piece)
		}
		rest = append(rest[:0], piece[:n]...)
		if _, err := in.Discard(n); err != nil {
			return err
		}
		_ = control.SetWriteDeadline(time.Now().Add(logPace)) // a server's own limit is for short answers
		if _, err := io.WriteString(w, shownText(rest)); err != nil {
			return errGone
		}
	}
}

// wholeText returns how much of a piece ends with a line, or where there is no
// end of one, with a character.
func wholeText(piece []byte) int {
	if i := bytes.LastIndexByte(piece, '\n'); i >= 0 {
		return i + 1
	}
	for n := len(piece); n > len(piece)-utf8.UTFMax; n-- {
		if utf8.RuneStart(piece[n-1]) {
			if utf8.FullRune(piece[n-1:]) {
				return len(piece)
			}
			return n - 1
		}
	}
	return len(piece)
}
