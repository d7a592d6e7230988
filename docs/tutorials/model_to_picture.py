# %% [markdown]
# # From a model to a picture
#
# This notebook loads a trained model, embeds recordings, draws the embedding and reads actions from it. It needs the
# results of `make quick` ([the first run](first_run.md)). The notebook is the script
# `docs/tutorials/model_to_picture.py`. Editors such as VS Code open it in cells, and so does JupyterLab with jupytext.
# Run it in the folder of the repository.

# %%
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.manifold import TSNE

import neural_action

RESULTS = "results/quick"
model = neural_action.load_model(f"{RESULTS}/models/swap_calcium/fold-0/seed-0")
print(model)

# %% [markdown]
# ## Embed recordings
#
# `splits.csv` says which trials this model did not see in training. Embed these: one trial of each fly.
# `stride=4` takes every fourth window.

# %%
splits = pd.read_csv(f"{RESULTS}/splits.csv", dtype=str)
unseen = splits[(splits["split"] == "fold-0") & (splits["role"] == "test")]
paths = [f"{RESULTS}/recordings/{row.animal}/{row.trial}.manifest.json" for row in unseen.itertuples()]
embedding = model.transform(paths, stride=4)
print(embedding.shape)
print(embedding.to_frame().iloc[:3, :6].round(2).to_string(index=False))

# %% [markdown]
# ## Draw them
#
# t-SNE lays the windows out in two dimensions. The same points are coloured by action and by animal.

# %%
labelled = embedding[embedding.label >= 0]
points = TSNE(init="pca", random_state=0).fit_transform(np.asarray(labelled))

figure, axes = plt.subplots(1, 2, figsize=(9, 4.4), layout="constrained")
for axis, name, values in zip(axes, ("action", "animal"), (labelled.action, labelled.animal), strict=True):
    for number, value in enumerate(sorted(set(values))):
        chosen = np.asarray(values) == value
        axis.scatter(*points[chosen].T, s=6, color=plt.get_cmap("tab10")(number), label=value)
    axis.set(title=f"by {name}", xticks=[], yticks=[])
    axis.legend(markerscale=2, fontsize=7, loc="upper left", bbox_to_anchor=(0, 0), ncols=3, frameon=False)
figure.savefig("model_to_picture.png", dpi=110)

# %% [markdown]
# Every fly is a patch of its own: after so little training, this model says which fly it is before it says what the
# fly does. [The problem](../explanation/problem.md) explains why, and [the results](../results/flies.md) show rows that
# do better.
#
# ## Read actions on another animal
#
# `score` trains a linear probe on all flies but one, and tests it on that one. There are eight actions, so chance is
# one eighth.

# %%
for animal in sorted(set(labelled.animal)):
    train, test = labelled[labelled.animal != animal], labelled[labelled.animal == animal]
    print(f"{animal}: balanced accuracy {model.score(test, train=train):.2f}")

# %% [markdown]
# These numbers are a quick look at one trial of each fly. The tables of the workflow are the measurement: they have all
# folds, seeds and intervals. Next: [adapt the model to a new animal, or export it](model.md).
