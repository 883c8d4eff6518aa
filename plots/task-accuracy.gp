# Share of multiple-choice questions answered rightly: all of them with their interval, and each kind.
# data: row, accuracy, both ends of the 95 % Wilson interval, label, shown, one column for each kind.
# chance: accuracy of guessing.  kinds, kind[]: how many kinds, and their names
eval by_variant
set xlabel 'Questions answered rightly, % (large: all of them, bars are 95 % Wilson intervals)'
set xrange [0:104]
set xtics 0, 20, 100
set key outside right center vertical Left reverse samplen 1 spacing 1.1 font ',10'
set arrow 1 from first chance, graph 0 to first chance, graph 1 nohead lc rgb gray dt 2 lw 1.5
set title offset 0,0.6
set label 1 sprintf('guessing %.0f %%', chance) at first chance, graph 1 center offset 0,0.5 textcolor rgb gray font ',10'
plot for [k=1:kinds] data using (column(6+k)):($1+0.24) with points ls (k+1) pt (k+4) ps 0.7 lw 1.2 title kind[k], \
  data using 2:1:3:4:ytic(5) with xerrorbars lt 1 pt 7 ps 1.2 lw 2, \
  data using 2:1:6 with labels offset 0,1.0 font ',10' textcolor rgb black
