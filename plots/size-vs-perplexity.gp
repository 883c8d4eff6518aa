# Perplexity against the bytes of the linear weights: down and left is better.
# data: x, perplexity, error, label at the right, label at the left, both ends of the bar, colour, symbol, 1 on the
# front; then the Pareto front, x and perplexity.  front: 1 where it has more than one point
# reference, lowest: perplexity of the reference and of the text's source, or NaN.
# low, high, logarithmic, ticks: the upright axis; x_low, x_high, x_logarithmic, x_ticks: the other
eval frame
set xrange [x_low:x_high]
if (x_logarithmic) { set logscale x }
eval 'set xtics '.x_ticks
set yrange [low:high]
if (logarithmic) { set logscale y }
eval 'set ytics '.ticks
if (reference == reference) { set arrow 1 from graph 0, first reference to graph 1, first reference nohead lc rgb gray dt 2 lw 1.5 }
if (lowest == lowest) { set arrow 2 from graph 0, first lowest to graph 1, first lowest nohead lc rgb red dt 3 lw 1.5 }
plot data index 1 using 1:(front ? $2 : NaN) with lines lc rgb pale lw 1.4, \
  data index 0 using 1:6:(0):($7 > $6 ? $7-$6 : NaN):8 @bars lc rgb variable, \
  data index 0 using 1:2:9:8 with points pt variable ps 0.9 lc rgb variable
