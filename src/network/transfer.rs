use super::{Network, NetworkError, ParameterName};
use crate::ids::ClassId;

impl Network {
    /// The same network with the weights of a trained one, of the same layers and neurons; to go on from there with
    /// other data, other rates or other classes.
    ///
    /// `known` says for each class of this network which one of the trained network it is; classes that it did not
    /// know keep what was drawn for them.
    ///
    /// ```
    /// use respike::ids::ClassId;
    /// use respike::network::{Network, NetworkSpec, ParameterName};
    /// use respike::random::MasterSeed;
    ///
    /// let trained = Network::new(NetworkSpec::dequino2024(), MasterSeed(1));
    /// let mut settings = NetworkSpec::dequino2024().settings().clone();
    /// settings.readout.classes = 2;
    /// let fresh = Network::new(settings.check()?, MasterSeed(2));
    /// // The first class is one that the trained network calls 7; the second is new.
    /// let started = fresh.starting_from(&trained, &[Some(ClassId(7)), None])?;
    /// let column = |network: &Network, class: usize| {
    ///     network.parameters().matrix(ParameterName::Readout).unwrap().column(class).to_owned()
    /// };
    /// assert_eq!(column(&started, 0), column(&trained, 7));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`NetworkError::NoSuchParameter`], [`NetworkError::NoPlaceFor`] and [`NetworkError::WrongShape`] tell the first
    /// parameter that only one of them has, or that has another shape.
    pub fn starting_from(
        mut self,
        trained: &Network,
        known: &[Option<ClassId>],
    ) -> Result<Self, NetworkError> {
        let has = |name| self.parameters.get(name).is_some();
        if let Some((name, _)) = trained.parameters().iter().find(|(name, _)| !has(*name)) {
            return Err(NetworkError::NoPlaceFor(name));
        }
        let columns_are_classes = |name: ParameterName| name == ParameterName::Readout;
        let old_classes = trained.spec().classes();
        for (name, mut values) in self.parameters.iter_mut() {
            let found = trained.parameters().get(name);
            let found = found.ok_or(NetworkError::NoSuchParameter(name))?;
            let rows = |shape: &[usize]| shape.first().copied();
            let fits = match columns_are_classes(name) {
                true => rows(found.shape()) == rows(values.shape()),
                false => found.shape() == values.shape(),
            };
            if !fits {
                return Err(NetworkError::WrongShape {
                    name,
                    found: found.shape().to_vec(),
                    expected: values.shape().to_vec(),
                });
            }
            if !columns_are_classes(name) {
                values.assign(&found);
                continue;
            }
            let columns = values.axis_iter_mut(ndarray::Axis(1)).zip(known);
            for (mut column, known) in columns {
                if let Some(class) = known.filter(|class| class.index() < old_classes) {
                    column.assign(&found.index_axis(ndarray::Axis(1), class.index()));
                }
            }
        }
        self.clamp_parameters();
        Ok(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::{LayerSettings, NetworkSpec};
    use crate::random::MasterSeed;

    #[test]
    fn what_does_not_fit_is_told_by_its_name() {
        let trained = Network::new(NetworkSpec::dequino2024(), MasterSeed(1));
        let changed = |change: fn(&mut Vec<LayerSettings>)| {
            let mut settings = NetworkSpec::dequino2024().settings().clone();
            change(&mut settings.layers);
            let fresh = Network::new(settings.check().expect("valid"), MasterSeed(2));
            fresh
                .starting_from(&trained, &[None; 20])
                .expect_err("it does not fit")
                .to_string()
        };
        assert!(changed(|layers| layers[1].units = 90).contains("w2"));
        assert!(changed(|layers| layers[2].bias = true).contains("bias3"));
        assert!(changed(|layers| drop(layers.pop())).contains("w3"));
        assert!(changed(|layers| layers.push(LayerSettings::new(50, false))).contains("w4"));
    }
}
