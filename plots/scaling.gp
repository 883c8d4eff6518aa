# Perplexity against the number of parameters: a curve for each form of weights.
# data: blocks of million parameters, perplexity, error, label, shown; one block a form.
# label[]: names of the forms.  lowest: perplexity of the text's source, or NaN
# smallest, largest, sizes: the lower axis.  low, high, logarithmic, ticks: the other
set xlabel 'Parameters, embedding included'
set logscale x
set xrange [smallest:largest]
eval 'set xtics '.sizes
set mxtics 1
set ylabel 'Perplexity (± one standard error, the larger of two)'
set yrange [low:high]
if (logarithmic) { set logscale y; eval 'set ytics '.ticks }
set key top right Left reverse samplen 2 spacing 1.2
if (lowest == lowest) {
  set arrow 2 from graph 0, first lowest to graph 1, first lowest nohead lc rgb red dt 3 lw 1.5
  set label 2 sprintf('floor %.3f: entropy of the source', lowest) at graph 0, first lowest left offset 0.6,0.6 textcolor rgb red font ',10'
}
plot for [i=0:rows-1] data index i using 1:2:3 with yerrorbars lt (i+1) notitle, \
  for [i=0:rows-1] data index i using 1:2 with linespoints lt (i+1) title label[i+1], \
  for [i=0:rows-1] data index i using 1:2:5 with labels left offset 0.8,0.5 font ',9' textcolor rgb gray
