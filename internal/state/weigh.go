package state

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
)

// Weight is what two copies of a state have in common.
type Weight struct {
	Serial    int64  `json:"serial"`
	Lineage   string `json:"lineage"`
	Resources int    `json:"resources"`
	Instances int    `json:"instances"`
	Encrypted bool   `json:"encrypted,omitempty"` // by the client: nobody can count
	SHA256    string `json:"sha256"`              // hex
}

// Same reports whether two weights are of the same state, however its text is
// laid out: a backend may write it anew.
func (w Weight) Same(o Weight) bool {
	w.SHA256, o.SHA256 = "", ""
	return w == o
}

// String is for people.
func (w Weight) String() string {
	return fmt.Sprintf("serial %d, lineage %s, %d resources with %d instances", w.Serial, orNone(w.Lineage), w.Resources, w.Instances)
}

// Weigh reads a state to its end. The error is errs.Invalid where it is none.
func Weigh(r io.Reader) (Weight, error) {
	scan, sum := newScanner(), sha256.New()
	if _, err := io.Copy(io.MultiWriter(scan, sum), r); err != nil {
		return Weight{}, fmt.Errorf("read the state: %w", err)
	}
	d, err := scan.finish()
	if err != nil {
		return Weight{}, err
	}
	return Weight{d.Serial, d.Lineage, d.Resources, d.Instances, d.Encrypted, hex.EncodeToString(sum.Sum(nil))}, nil
}
