"""Domain adaptation: terms that bring a labelled source domain and an unlabelled target domain together.

| file | method | term |
|---|---|---|
| `mk_mmd` | DAN, Long et al. 2015 | distance of mean kernel embeddings of one layer |
| `jmmd` | JAN, Long et al. 2017 | the same for the joint distribution of several layers |
| `coral` | Deep CORAL, Sun and Saenko 2016 | distance of covariances |
| `dann` | DANN, Ganin et al. 2016 | a discriminator tells the domains apart; its gradient is reversed |
| `cdan` | CDAN, CDAN+E, Long et al. 2018 | the same on features times class probabilities, weighted by certainty |
| `mcc` | MCC, Jin et al. 2020 | classes confused by the predictions of a target batch |
| `entropy` | Grandvalet and Bengio 2005 | entropy of target predictions |
| `virtual_adversarial` | VAT, Miyato et al. 2018 | change of the prediction in the worst direction |
| `dirt_t` | VADA and DIRT-T, Shu et al. 2018 | distance to a slowly moving teacher |
| `adabn` | AdaBN, Li et al. 2016 | batch-norm statistics of the target, without training |
| `domain_mixup` | Xu et al. 2020, Wang et al. 2020 | mixup of examples of different source domains |
| `group_dro` | Group DRO, Sagawa et al. 2020 | loss of the worst source domain |
| `mix_style` | MixStyle, Zhou et al. 2021 | maps in the styles of other source domains |

VADA is `dann` + `mean_entropy` of the target + `virtual_adversarial` of both domains. Parts of several methods:
`reversal` (gradient reversal and its ramp), `discriminator`, `kernels`, `partners` (who is mixed with whom), and
`masks`, which keeps padding out.

Laws of this room: a term is a pure function of float32 arrays of the WHOLE batch. Gather over devices first, because
most of these terms are not means over examples, and a mean of the devices' values would be another term. Each domain
has a mask [B], 1 for real examples and 0 for padding; padding influences neither value nor gradient. The domains'
batches may differ in size. A term is 0, with gradient 0, where a mask leaves too few examples for it. The room imports
only `fdx.types` from fdx.
"""
