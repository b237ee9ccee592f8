package providers

import (
	"bytes"
	"errors"
	"strings"

	"github.com/ProtonMail/go-crypto/openpgp"
	pgperrors "github.com/ProtonMail/go-crypto/openpgp/errors"
)

// checkSignature verifies a detached OpenPGP signature of a text by one of the
// keys, and returns the key's ID. A key that has expired since counts, as it
// does in both tools: publishers rarely sign old releases anew.
func checkSignature(text, signature []byte, keys []string) (keyID string, err error) {
	err = errors.New("no key can be read")
	for _, armored := range keys {
		ring, rerr := openpgp.ReadArmoredKeyRing(strings.NewReader(armored))
		if rerr != nil {
			err = rerr
			continue
		}
		entity, serr := openpgp.CheckDetachedSignature(ring, bytes.NewReader(text), bytes.NewReader(signature), nil)
		if serr == nil || errors.Is(serr, pgperrors.ErrKeyExpired) && entity != nil {
			return entity.PrimaryKey.KeyIdString(), nil
		}
		err = serr
	}
	return "", err
}
