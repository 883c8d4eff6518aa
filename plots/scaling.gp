# Perplexity against the number of parameters: a curve for each form of weights.
# data: blocks of million parameters, perplexity, error, label, shown, both ends of the bar; one block a form.
# label[]: names of the forms.  lowest: perplexity of the text's source, or NaN
eval frame
eval panels_begin
do for [p=1:panels] {
  eval panel
  if (lowest == lowest) { set arrow 2 from graph 0, first lowest to graph 1, first lowest nohead lc rgb red dt 3 lw 1.5 }
  plot for [i=panel_first[p]:panel_last[p]] data index i using ($1*dodge[i+1]):2 with lines lt type[i+1], \
    for [i=panel_first[p]:panel_last[p]] data index i using ($1*dodge[i+1]):6:(0):($7 > $6 ? $7-$6 : NaN) @bars lt type[i+1], \
    for [i=panel_first[p]:panel_last[p]] data index i using ($1*dodge[i+1]):2 with points lt type[i+1]
  eval panels_next
}
eval panels_end
