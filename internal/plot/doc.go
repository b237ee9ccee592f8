// Package plot draws charts as SVG that stands in a page: columns of months,
// stacked, with a forecast, a limit and what was really paid; and bars.
//
// Promises:
//
//   - No script, no style attribute, no font, nothing fetched: a chart works
//     under a content security policy that allows the page's own style sheet
//     alone, and in a file that is opened from a disk.
//   - Whatever a name holds stays text. Characters that command a terminal or
//     reorder text are made visible, long names are cut and stand whole in the
//     tooltip.
//   - It can be read without seeing it: each chart has a title and a
//     description with every figure, and colour is never the only thing that
//     tells two parts apart.
//   - Text keeps its size on a phone: what is horizontal is in percent, so a
//     chart grows and shrinks and its letters don't.
//   - The same values give the same bytes.
//
// Colours come from Style, which follows the reader's light or dark scheme;
// a page must bring it. Amounts are decimals and are written by the caller's
// function; they become floating-point numbers only to be drawn.
//
// It knows nothing of money, months or clients.
package plot
