# Perplexity against the bytes of the linear weights: down and left is better.
# data: x, perplexity, error, label at the right, label at the left.
# lowest: perplexity of the text's source, or NaN.
# label[]: names.  direct: 1 where names stand at the points.  low, high, logarithmic, ticks: the axis
set xlabel 'Linear weights in memory (MiB)'
set xrange [0:*]
set ylabel 'Perplexity (± one standard error, the larger of two)'
set yrange [low:high]
if (logarithmic) { set logscale y; eval 'set ytics '.ticks }
set offsets 0, graph 0.08, 0, 0
if (reference == reference) {
  set arrow 1 from graph 0, first reference to graph 1, first reference nohead lc rgb gray dt 2 lw 1.5
  set label 1 sprintf('reference %.4g', reference) at graph 1, first reference right offset 0,0.6 textcolor rgb gray font ',10'
}
if (lowest == lowest) {
  set arrow 2 from graph 0, first lowest to graph 1, first lowest nohead lc rgb red dt 3 lw 1.5
  set label 2 sprintf('floor %.3f: entropy of the source', lowest) at graph 0, first lowest left offset 0.6,0.6 textcolor rgb red font ',10'
}
if (direct) {
  plot for [i=0:rows-1] data every ::i::i using 1:2:3 with yerrorbars lt (i+1), \
    for [i=0:rows-1] data every ::i::i using 1:2:4 with labels left offset 1.0,0.7 font ',11', \
    for [i=0:rows-1] data every ::i::i using 1:2:5 with labels right offset -1.0,0.7 font ',11'
} else {
  set key outside right center vertical Left reverse spacing 1.1 font ',11' samplen 1.5 width 1
  plot for [i=0:rows-1] data every ::i::i using 1:2:3 with yerrorbars lt (i+1) title label[i+1]
}
