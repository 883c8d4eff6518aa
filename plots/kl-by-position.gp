# Divergence from the reference along the context: do errors grow as the cache fills?
# data: one block a variant: position, KL divergence, error.  label[], end_x, end_y[]: names and where
# they stand.  direct: 1 where names stand at the ends of the lines
set xlabel 'Position in the context (tokens)'
set ylabel 'KL divergence (nats a token)'
if (logarithmic) { set logscale y; set format y '%.0e' }
if (direct) {
  set rmargin longest*0.85 + 3
  do for [i=1:rows] { set label (100+i) label[i] at end_x, end_y[i] left offset 0.8,0 textcolor lt i font ',11' }
} else {
  set key outside right center vertical Left reverse spacing 1.1 font ',11' samplen 1.5 width 1
}
plot for [i=0:rows-1] data index i using 1:2:3 with yerrorbars lt (i+1) ps 0.4 lw 1, \
  for [i=0:rows-1] data index i using 1:2 with linespoints lt (i+1) ps 0.5 title (direct ? '' : label[i+1])
