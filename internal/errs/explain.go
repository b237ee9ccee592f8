package errs

import (
	"errors"
	"strings"
)

// Explain renders an error for whoever runs the program: the sentence of a
// classified one and on the next line its cause, which names what a Sentence
// for everyone must not.
func Explain(err error) string {
	var classified *Error
	text := err.Error()
	if errors.As(err, &classified) && classified.Sentence != "" {
		text = classified.Sentence
		if classified.Err != nil {
			text += "\n" + classified.Err.Error()
		}
	}
	return strings.TrimSpace(strings.ReplaceAll(text, "\t", "  "))
}
